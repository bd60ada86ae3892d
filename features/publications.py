"""The publications that features cite for their indicators, and the passages that were read.

`reference/indicator_sources.csv` has a row for each publication and indicator that was looked up. A
citation without a row was not checked again.
"""

import csv
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

CUSTOMS_DATA_2022 = "Jeong et al., Customs Import Declaration Datasets (2022)"
DATE_2020 = (
    "Kim et al., DATE: Dual Attentive Tree-aware Embedding for Customs Fraud Detection (2020)"
)
EUROPOL_2023 = "Europol, Criminal networks in EU ports (2023)"
FATF_2022 = (
    "FATF, Money Laundering and Terrorist Financing Risks Arising from Migrant Smuggling (2022)"
)
FATF_HAWALA_2013 = "FATF, The Role of Hawala and Other Similar Service Providers (2013)"
FATF_TRADE_2021 = "FATF and Egmont Group, Trade-Based Money Laundering: Risk Indicators (2021)"
FINCEN_2014 = "FinCEN, Advisory FIN-2014-A008 on human smuggling and trafficking"
FINCEN_2023 = "FinCEN, Alert FIN-2023-Alert001 on human smuggling along the southwest border"
ICS2 = "European Commission, ICS2 stop words for descriptions in entry summary declarations"
IMO_CIRC_896 = "IMO, MSC/Circ.896/Rev.1 on unsafe practices in the transport of migrants by sea"
NCA_2025 = (
    "NCA with the German Bundespolizei (April 2025), Eurojust (November 2024), on boat supply"
)
PRACTICE = "practice of reviewers; no single published source"
SEA_CONTAINERS_2002 = (
    "European Commission, Good Practice Guide for Sea Container Control (programme Customs 2002)"
)
UCC_TRANSIT = "Implementing Regulation (EU) 2015/2447, Articles 297 and 310: transit not discharged"
UK_VEHICLES = "UK Border Force, vehicle security guidance"
UNODC_SEA_2011 = "UNODC, Issue Paper on Smuggling of Migrants by Sea (2011)"
US_MARITIME_2020 = "US State, Treasury and Coast Guard, maritime advisory (14 May 2020)"
WINDWARD = "Windward, notes on deceptive shipping practices"


class Passage(NamedTuple):
    """A publication's statement about an indicator, in our words, and the copy that was read.

    Without `read_on` nobody could check it: `passage` is empty and `read_in` lists the attempts.
    """

    passage: str
    read_in: str
    read_on: date | None


@cache
def passages() -> dict[tuple[str, str], Passage]:
    """Return the passage for each publication and indicator that was looked up."""
    table = Path(__file__).parent / "reference" / "indicator_sources.csv"
    with table.open(encoding="utf-8", newline="") as file:
        return {
            (row["publication"], row["indicator"]): Passage(
                row["passage"],
                row["read_in"],
                date.fromisoformat(row["read_on"]) if row["read_on"] else None,
            )
            for row in csv.DictReader(file)
        }
