import pytest

from features.persons import describes_a_person, is_about_a_person, person_fields
from features.records import RECORD_FILES

# Told apart here and in the code: by kinds of attribute that the law protects, or a person goes by.
ATTRIBUTES = """
    age ages birth birthday birthdate birthplace dob
    citizenship ethnic ethnicity nationalities nationality race racial
    gender sex sexual maiden marital
    health genetic biometric biometrics face facial fingerprint fingerprints iris portrait photo
    political religion religious language languages
    name names firstname forename fullname lastname surname person persons
    email mobile msisdn phone phonenumber telephone
    mrz passport passports visa
    date_of_birth travel_document national_id identity_card id_card
""".split()


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_of_a_person_is_recognised_alone_and_within_a_name(attribute: str) -> None:
    first, *others = attribute.split("_")
    in_camel_case = first + "".join(word.title() for word in others)

    for field in (attribute, attribute.upper(), attribute.replace("_", "-"), in_camel_case):
        assert describes_a_person(field), field
    for field in (f"driver_{attribute}", f"{attribute}_of_driver", f"driver{attribute.title()}"):
        assert describes_a_person(field), field


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "driver_name",
        "Nationality",
        "dateOfBirth",
        "date_of_birth",
        "DOB",
        "sex",
        "religion",
        "ethnicity",
        "passport_number",
        "travelDocumentNumber",
        "phone",
        "e-mail_email",
        "fingerprint_hash",
        "preferred_language",
        "mrz",
    ],
)
def test_a_field_about_a_person_is_recognised_however_it_is_written(field: str) -> None:
    assert describes_a_person(field)


def test_no_field_of_any_record_describes_a_person() -> None:
    fields = [field for record in RECORD_FILES.values() for field in record.model_fields]

    assert person_fields(fields) == []


def test_a_count_of_people_on_board_is_about_the_craft() -> None:
    assert not describes_a_person("persons_on_board")
    assert describes_a_person("persons_on_board_names")


@pytest.mark.parametrize(
    "field",
    [
        *("vessel_name", "vesselName", "VESSEL NAME", "model_name", "port_name", "product_name"),
        *("name_of_vessel", "names_of_the_port", "document_language", "nome_do_navio"),
        *("nom_du_navire", "nombre_del_buque", "goods_item_name", "office-name"),
    ],
)
def test_the_name_or_language_of_a_thing_is_of_no_person(field: str) -> None:
    assert not describes_a_person(field)


@pytest.mark.parametrize(
    "field",
    [
        *("vessel_owner_name", "name_of_vessel_master", "ship_master_name", "vessel_name_of_owner"),
        *("vessel_first_name", "vessel_person", "vessel_email", "vessel_name_surname"),
        *("name_vessel", "consignee_name", "company_name", "importer_names", "passenger_language"),
        *(
            "vessel_nationality_name_language_of_driver",
            "prénom",
            "Geburtsdatum",
            "nom_du_capitaine",
        ),
    ],
)
def test_the_name_of_whoever_stands_behind_a_thing_is_of_a_person(field: str) -> None:
    assert describes_a_person(field)


@pytest.mark.parametrize(
    "field",
    [
        *("NATIONALITYCODE", "PASSPORTNO", "SURNAME1", "NAME1", "DOB1", "dateofbirth"),
        *("drivername", "driverName2", "FIRSTNAME_1", "consigneename", "PASSPORTEXPIRYDATE"),
        *("الجنسية", "رقم جواز السفر", "اسم", "ФИО", "ФИО водителя", "ДатаРождения", "Пол"),
        *("国籍", "护照号码", "姓名", "生年月日", "국적", "Υπηκοότητα", "מין"),
    ],
)
def test_joined_numbered_and_foreign_names_are_of_a_person_too(field: str) -> None:
    assert describes_a_person(field)


@pytest.mark.parametrize("column", ["driver", "CHAUFFEUR", "vessel_master", "CREW_LIST", "Fahrer"])
def test_a_column_named_after_who_works_there_is_about_a_person(column: str) -> None:
    assert is_about_a_person(column)
    assert not describes_a_person(column)


OF_STRANGERS = """
    declaration_id date office_id process_type import_type import_use payment_type declarant_id
    mode_of_transport importer_id seller_id courier_id hs6_code country_of_departure tax_rate
    country_of_origin_indicator net_mass item_price critical_fraud source_node_id init_balance
    VESSELNAME PORTNAME PRODUCTNAME ORIGIN_NAME POSTAGE VOYAGE TONNAGE MESSAGE SURFACE FACEVALUE
    PASSENGER_CAPACITY CREW_SIZE MASTER_BILL MASTER_CONSIGNMENT MASTER_FLAG DOCUMENTNO DATEOFISSUE
    VALUEDATE NOMENCLATURE PACKAGE HS6 INCOTERM2 Наименование_товара Вес_брутто
    اسم_السفينة بلد_المنشأ 船名 货物名称 原产国 品名
""".split()
"""Columns of public data of customs and payments, and others that a rule of words could catch."""


def test_no_honest_column_is_about_a_person() -> None:
    fields = [field for record in RECORD_FILES.values() for field in record.model_fields]

    assert [each for each in (*fields, *OF_STRANGERS) if is_about_a_person(each)] == []
