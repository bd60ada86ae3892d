"""The kinds of conveyances, and the row number of each."""

KINDS = (
    "container_ship",
    "general_cargo",
    "tanker",
    "truck",
    "van",
    "coach",
    "aircraft",
    "train",
    "small_craft",
    "fishing_vessel",
)
SHIP, CARGO, TANKER, TRUCK, VAN, COACH, AIRCRAFT, TRAIN, CRAFT, FISHER = range(len(KINDS))
