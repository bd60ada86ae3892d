"""A deployer's answers, as a test lays them down."""

from pathlib import Path

REMEDIES = """
[controller]
name = "Customs Directorate North"
address = "Harbour Street 1, 20457 Hamburg"

[data_protection_officer]
name = "Data protection officer of the directorate"
address = "dpo@customs.example"

[supervisory_authority]
name = "Federal Commissioner for Data Protection"
address = "Graurheindorfer Str. 153, 53117 Bonn"

[hearing]
name = "Customs Directorate North, review unit"
address = "Harbour Street 1, 20457 Hamburg"
law = "UCC Article 22(6)"

[appeal]
name = "Customs Directorate North, appeals"
address = "Harbour Street 1, 20457 Hamburg"
law = "UCC Article 44(2)(a)"

[court]
name = "Finance Court Hamburg"
address = "Lübeckertordamm 4, 20099 Hamburg"
law = "UCC Article 44(2)(b)"
"""


def lay_down_remedies(home: Path) -> Path:
    """Lay the answers down in a home; the file."""
    file = home / "letters.toml"
    file.write_text(REMEDIES, encoding="utf-8")
    return file
