"""The indicators of smuggling: J journey, D document, T transaction, N network.

Signs of danger to life (L) are kept apart, in `serving.triage.life_at_risk`: they open the rescue
lane and no feature measures them. An indicator without a feature remains to be implemented.
"""

# The name of each indicator, as it completes "a sign of …".
INDICATORS: dict[str, str] = {
    "J01": "a detour",
    "J02": "more transfers than the corridor needs",
    "J03": "a transfer without economic reason",
    "J04": "a corridor that is seldom used",
    "J05": "an operator new to the corridor",
    "J06": "a way changed after booking",
    "J07": "a destination changed late",
    "J08": "a stop longer than usual",
    "J09": "a stop or stretch that is not explained",
    "J10": "a stop near a known staging area",
    "J11": "a gap in the track",
    "J12": "a gap in the track near a coast",
    "J13": "a jump in the track",
    "J14": "an identity that does not agree with the register",
    "J15": "a meeting at sea",
    "J16": "loitering",
    "J17": "speeds out of line with the mode",
    "J18": "a registration out of line or lately changed",
    "J19": "a voyage that does not pay",
    "J20": "a landing at night",
    "J21": "a departure in a window of calm weather",
    "J22": "an arrival off the designated places",
    "J23": "a craft unfit for its way",
    "J24": "a declared load of people above capacity",
    "J25": "a one-way hire",
    "J26": "short notice",
    "J27": "a light load",
    "J28": "a load out of line with the conveyance or the corridor",
    "J29": "a convoy",
    "J30": "an unusual crossing or office",
    "J31": "repeated short trips",
    "J32": "an unusual hour",
    "J33": "an unusual mode or combination of modes",
    "J34": "new transport papers at a hub",
    "J35": "earlier findings in the same goods or on the same way",
    "J36": "traffic displaced from elsewhere",
    "J37": "a conveyance that changes hands",
    "J38": "a sudden surge of traffic",
    "D01": "a late declaration or manifest",
    "D02": "repeated amendments",
    "D03": "a late change of what matters",
    "D04": "a vague description",
    "D05": "a description that does not fit the goods code",
    "D06": "a motive in duty or control",
    "D07": "packing out of line",
    "D08": "a mass that differs between papers",
    "D09": "mass and volume that do not fit the goods",
    "D10": "a value out of line with the goods",
    "D11": "freight out of proportion to value",
    "D12": "quantities that differ between papers",
    "D13": "parties that differ between papers",
    "D14": "a container number that fails its check",
    "D15": "another number that fails its check",
    "D16": "a number in use twice",
    "D17": "numbers in a run from unrelated parties",
    "D18": "a seal or container that differs between papers",
    "D19": "a seal changed without an inspection",
    "D20": "states that contradict each other",
    "D21": "cooling that the goods do not need",
    "D22": "a release code used by several",
    "D23": "an expired paper",
    "D24": "a permit out of place or missing",
    "D25": "parties new to each other or to us",
    "D26": "a sleeper that wakes",
    "D27": "an address of convenience",
    "D28": "a consignee to order",
    "D29": "a notify party elsewhere",
    "D30": "goods outside a party's business",
    "D31": "a change of declarant",
    "D32": "a new party like a flagged one",
    "D33": "a company for a short while",
    "D34": "equipment for crossings by boat",
    "D35": "an unusual mix of goods",
    "D36": "round figures",
    "D37": "the same entries in unrelated declarations",
    "D38": "papers or entries that are missing",
    "D39": "a loading that nobody witnessed",
    "D40": "no security checklist",
    "D41": "a parcel that fits a profile",
    "D42": "an origin, dispatch or procedure out of line",
    "D43": "a consignment split up",
    "D44": "a container that passes through many hands",
    "D45": "a transit paper that the way does not need",
    "D46": "a transit that runs over its time limit",
    "T01": "payment by a third party",
    "T02": "payment from off the corridor",
    "T03": "money that fans in",
    "T04": "payers spread over many places",
    "T05": "money that fans out",
    "T06": "money that passes through",
    "T07": "a funnel account",
    "T08": "amounts under a threshold",
    "T09": "round amounts",
    "T10": "amounts like a fee",
    "T11": "cash",
    "T12": "cash out of line with the business",
    "T13": "an exchange of denominations",
    "T14": "several branches in a day",
    "T15": "several payers of one movement",
    "T16": "deposits out of line with peers",
    "T17": "private words on a commercial payment",
    "T18": "netting between brokers",
    "T19": "money held until arrival",
    "T20": "late payments",
    "T21": "terms of payment out of line or lately changed",
    "T22": "freight paid in cash or by a third party",
    "T23": "different payers of freight and goods",
    "T24": "a currency unusual for the corridor",
    "T25": "a bank elsewhere than its account",
    "T26": "payment, invoice and value that disagree",
    "T27": "a virtual asset",
    "T28": "a new account",
    "T29": "a burst of bookings",
    "T30": "a burst of equipment purchases",
    "T31": "money that returns",
    "T32": "no payment seen",
    "T33": "payment through a money service instead of a bank",
    "T34": "payment to a third party",
    "N01": "a conveyance or container shared with a flagged case",
    "N02": "a payer or payee shared with a flagged case",
    "N03": "an address shared with a flagged case",
    "N04": "a network that grows fast",
    "N05": "closeness to confirmed cases",
    "N06": "a forwarder between flagged parties",
    "N07": "movements made together",
    "N08": "earlier findings among the same parties",
}

# A neutral heading for the features of an indicator, which accuses nobody.
TOPICS: dict[str, str] = {
    "J01": "length of the way",
    "J02": "number of transfers",
    "J03": "reason of the transfer",
    "J04": "use of the corridor",
    "J05": "experience on the corridor",
    "J06": "way booked and way taken",
    "J07": "change of destination",
    "J08": "length of stops",
    "J09": "whether the legs connect",
    "J10": "place of stops",
    "J11": "position reports",
    "J12": "position reports near a coast",
    "J13": "speed between positions",
    "J14": "identity and register",
    "J15": "meetings at sea",
    "J16": "slow movement",
    "J17": "speed",
    "J18": "registration",
    "J19": "whether the voyage pays",
    "J20": "hour of landing",
    "J21": "weather at departure",
    "J22": "place of arrival",
    "J23": "distance for such a craft",
    "J24": "people and capacity",
    "J25": "hire and return",
    "J26": "time between booking and departure",
    "J27": "load of the conveyance",
    "J28": "load on this corridor",
    "J29": "company on the way",
    "J30": "crossing or office",
    "J31": "number of trips",
    "J32": "hour",
    "J33": "mode of transport",
    "J34": "transport papers at a hub",
    "J35": "results of earlier inspections of such goods or ways",
    "J36": "traffic elsewhere",
    "J37": "who runs the conveyance",
    "J38": "traffic to the destination",
    "D01": "time of the declaration or manifest",
    "D02": "changes of documents",
    "D03": "late changes",
    "D04": "wording of the description",
    "D05": "description and goods code",
    "D06": "duty and controls",
    "D07": "packing",
    "D08": "mass in the papers",
    "D09": "mass and volume",
    "D10": "value of the goods",
    "D11": "freight and value",
    "D12": "quantities in the papers",
    "D13": "parties in the papers",
    "D14": "container number",
    "D15": "check digits of numbers",
    "D16": "use of numbers",
    "D17": "runs of numbers",
    "D18": "seal and container in the papers",
    "D19": "changes of the seal",
    "D20": "order of events",
    "D21": "cooling",
    "D22": "release code",
    "D23": "validity of papers",
    "D24": "permits",
    "D25": "trading history",
    "D26": "time since the last activity",
    "D27": "address",
    "D28": "named consignee",
    "D29": "notify party",
    "D30": "business of the party",
    "D31": "declarant",
    "D32": "likeness to flagged parties",
    "D33": "age of the company",
    "D34": "equipment for boats",
    "D35": "mix of goods",
    "D36": "figures of mass",
    "D37": "prices in other declarations",
    "D38": "papers that were filed",
    "D39": "loading",
    "D40": "security checklist",
    "D41": "parcel profile",
    "D42": "origin, dispatch and procedure",
    "D43": "size of the consignment",
    "D44": "users of the container",
    "D45": "transit paper",
    "D46": "time limit of the transit",
    "T01": "who paid",
    "T02": "where payments came from",
    "T03": "payers of the payee",
    "T04": "places of the payers",
    "T05": "payees of the payer",
    "T06": "money passed on",
    "T07": "use of the account",
    "T08": "amounts and reporting limits",
    "T09": "figures of amounts",
    "T10": "equal amounts",
    "T11": "cash payments",
    "T12": "cash and business",
    "T13": "denominations",
    "T14": "branches in a day",
    "T15": "number of payers",
    "T16": "deposits beside those of peers",
    "T17": "words on payments",
    "T18": "netting",
    "T19": "deposits and releases",
    "T20": "time of payments",
    "T21": "terms of payment",
    "T22": "how freight was paid",
    "T23": "payers of freight and goods",
    "T24": "currency",
    "T25": "bank and account",
    "T26": "payment, invoice and declared value",
    "T27": "virtual assets",
    "T28": "age of the account",
    "T29": "number of bookings",
    "T30": "purchases of equipment",
    "T31": "returns of money",
    "T32": "payments that are known",
    "T33": "money services",
    "T34": "who was paid",
    "N01": "results of earlier inspections of the conveyance or container",
    "N02": "results of earlier inspections with the payer or payee",
    "N03": "address and flagged cases",
    "N04": "growth of the network",
    "N05": "distance to confirmed cases",
    "N06": "forwarder and flagged parties",
    "N07": "movements together",
    "N08": "results of earlier inspections of the parties",
}

# Papers that contradict each other, and links to confirmed cases: an inspector acts on them first.
FIRST_TO_CHECK = frozenset({"D08", "D12", "D13", "D18", "T26", "N01", "N02", "N05", "N06", "N08"})

# What to examine for each indicator that a feature measures, and what would clear it.
CHECKS: dict[str, str] = {
    "J01": "Compare the legs with the booking and the carrier's usual way; a port, a ferry or a "
    "closed road that explains the detour clears it.",
    "J02": "Compare the transfers with the transport papers; a scheduled service with the same "
    "transfers clears them.",
    "J04": "Ask the carrier for the contract or the booking that led it this way; a customer at "
    "either end clears it.",
    "J05": "Ask who ordered the movement; a contract with a customer on this way clears it.",
    "J08": "Ask for the log of the stop: where, why, who had access; repairs, rest or a queue on "
    "record clear it.",
    "J09": "Ask where the conveyance was between the two legs; a fuel, toll or port receipt for "
    "that stretch clears it.",
    "J11": "Compare the gap with the coverage of receivers and the voyage log; a gap that others "
    "had there too clears it.",
    "J12": "Compare the gap with coastal radar and the log; a berth, a fault on record or a gap "
    "of all receivers clears it.",
    "J13": "Compare the two positions with radar or another source; one wrong report clears it.",
    "J15": "Identify the other conveyance and ask both masters; fishing, pilotage or bunkering on"
    " record clears it.",
    "J16": "Compare the slow positions with weather, traffic and orders to wait; any of them on "
    "record clears it.",
    "J17": "Recompute the leg from its times and places; a wrong time or a change of mode clears "
    "it.",
    "J18": "Check the registration papers; a lease or a branch of the operator in that country "
    "clears it.",
    "J20": "Check who met the landing and the permit for the hour; a timetable or a permit clears"
    " it.",
    "J23": "Check range, fuel and equipment of the craft; a class certificate for that distance "
    "clears it.",
    "J25": "Read the contract of hire: who pays and where it is to be returned; a one-way fee in "
    "it clears it.",
    "J26": "Compare booking and departure with the order; a standing contract or an urgent order "
    "in writing clears it.",
    "J27": "Weigh the conveyance or look into the hold; a load that agrees with the papers clears"
    " it.",
    "J28": "Weigh the conveyance or look into the hold; a load that agrees with the papers clears"
    " it.",
    "J30": "Ask the declarant why this office was used; a warehouse or a customer nearby clears "
    "it.",
    "J31": "Compare the loads of the last trips; a shuttle contract with as many trips clears it.",
    "J33": "Compare the modes of the legs with the transport papers; a paper for each mode clears"
    " it.",
    "J35": "Read what those inspections found and where; look in the same places. Goods and "
    "packing as declared clear it.",
    "J37": "Check the papers of ownership and hire; a pool or a leasing firm that lends it clears"
    " it.",
    "J38": "Ask what draws traffic there this week; a season, a fair or a closed port elsewhere "
    "clears it.",
    "D01": "Compare the time of the paper with booking and loading; a late booking or a fault of "
    "the filing system clears it.",
    "D02": "Read what each version changed; corrections of spelling or of one number clear it.",
    "D03": "Read which entry was changed and who asked for it; the shipper's written order clears"
    " it.",
    "D04": "Ask for the invoice or packing list that names the goods; a full description clears "
    "it.",
    "D05": "Compare the description with the goods code and a sample; a code that fits the goods "
    "clears it.",
    "D07": "Count and weigh some packages; numbers and masses as on the packing list clear it.",
    "D08": "Weigh it and compare the gross mass with every paper; a weighbridge slip that agrees "
    "with the declaration clears it.",
    "D09": "Compare mass and volume with the packing list, or scan it; an even image of such "
    "goods clears it.",
    "D10": "Compare the declared value with invoice, contract and payment; a price list or a "
    "quality that explains it clears it.",
    "D11": "Compare the freight with the carrier's tariff; express or special handling on the "
    "waybill clears it.",
    "D12": "Count the packages and compare them with every paper; one count for all of them "
    "clears it.",
    "D13": "Compare the parties on each paper with the declaration; an agent's contract or a sale"
    " on the way clears it.",
    "D14": "Read the number on the container itself; a slip of one digit clears it.",
    "D15": "Ask the bank for the account's number; a slip of the pen clears it.",
    "D16": "Find where the same number was used and compare both; the first use cancelled, or a "
    "reuse by rule, clears it.",
    "D18": "Read seal and container on the spot; numbers as declared clear it.",
    "D19": "Read the seal and ask who changed it; a report of an official inspection clears it.",
    "D20": "Compare the times of gate and arrival with the terminal; a clock or entry put right "
    "clears it.",
    "D23": "Read the date of expiry; a renewed paper clears it.",
    "D24": "Compare the permit with the goods and with its issuer's register; an entry there "
    "clears it.",
    "D25": "Look the party up in the business register; a trade that fits and a contract clear "
    "it. New alone is no offence.",
    "D26": "Ask what ended the silence; a new contract or a season clears it.",
    "D30": "Compare the goods with the register of the party's business; an entry or a contract "
    "for them clears it.",
    "D31": "Ask the consignee for its mandate; a signed one for this declarant clears it.",
    "D34": "Ask who will use the equipment and where; a chandler's or club's order clears it. "
    "Think of lives at sea.",
    "D35": "Compare the items with the packing list; a groupage of several orders clears it.",
    "D36": "Weigh it; a scale that shows the round figure clears it.",
    "D37": "Compare the other declarations at this price; a list price of the maker clears it.",
    "D38": "Ask for the papers that are missing; papers that agree with the declaration clear it.",
    "D40": "Ask for the security checklist of the departure; one that is signed and complete "
    "clears it.",
    "D42": "Compare origin and dispatch with the certificate of origin; a certificate that fits "
    "clears it.",
    "D43": "Look for sister consignments of the same days and add them up; one order of this size"
    " clears it.",
    "D44": "Compare the container's journeys with its owner's record; a pool or a line that "
    "leases it clears it.",
    "D45": "Compare the transit paper with the legs; a border or a warehouse that needs it clears"
    " it.",
    "D46": "Compare seal and mass with the office of departure and ask for the delay; a breakdown"
    " on record clears it.",
    "T01": "Ask why someone else paid; a contract, a group company or a factoring bank clears it.",
    "T02": "Ask why the payment came from there; a branch or a group company in that country "
    "clears it.",
    "T03": "Compare the payers of this payee with its customers; invoices to each of them clear "
    "it.",
    "T05": "Compare the payees of this payer with its suppliers; invoices from each of them clear"
    " it.",
    "T06": "Follow the money paid out: to whom and what for; wages, taxes or a supplier's invoice"
    " clear it.",
    "T08": "Add up the payments of the same payer and days; separate invoices for them clear it.",
    "T09": "Compare the amounts with the invoices; an invoice or an advance over the same amount "
    "clears it.",
    "T10": "Ask the payee what the equal amounts are for; a published tariff or fare clears it.",
    "T11": "Ask for the receipts of the cash; a trade where cash is usual, with receipts, clears "
    "it.",
    "T15": "Ask each payer what it paid for; shares in one invoice or separate services clear it.",
    "T18": "Ask for the netting agreement and both sides of the account; a signed one with "
    "statements clears it.",
    "T19": "Ask who holds the money and what releases it; a letter of credit or an escrow "
    "contract clears it.",
    "T20": "Compare the payments with the terms on the invoice; payment on shipment in them "
    "clears it.",
    "T23": "Ask why others paid the freight; the delivery terms on the invoice can clear it.",
    "T26": "Compare invoice, payment and declared value; terms of payment, freight or a credit "
    "note that explain it clear it.",
    "T27": "Ask for the record of the transfer and the invoice it pays; both with the same "
    "parties clear it.",
    "T31": "Ask what the money that came back was for; a credit note or invoices in both "
    "directions clear it.",
    "T32": "Ask when and how it will be paid; terms of payment on the invoice clear it.",
    "T33": "Ask why no bank was used; a licensed service and a receipt with both names clear it.",
    "T34": "Ask why someone other than the carrier was paid; an agent's or subcontractor's "
    "invoice clears it.",
    "N01": "Read the earlier report and look in the same place of the conveyance or container; no"
    " trace there clears it.",
    "N02": "Read the earlier case and compare what was paid for; an ordinary customer or supplier"
    " of both clears it.",
    "N04": "Look up the new members in the business register; firms of a group or of one address "
    "that trade openly clear it.",
    "N05": "Follow the links to the confirmed case and see who joins both; a shared port, bank or"
    " public carrier clears it.",
    "N06": "Read the earlier cases of this forwarder; goods and consignee of another kind clear "
    "it.",
    "N07": "Compare what this payer paid for within these days; separate orders of different "
    "customers clear it.",
    "N08": "Read what was found and how it was hidden; look in the same place. Another owner or "
    "other goods clear it.",
}

NO_SIGN = "nothing by itself: a scale or a description"


def sign_of(indicator: str | None) -> str:
    """Return the words for what an indicator is a sign of, also for features without one."""
    return NO_SIGN if indicator is None else INDICATORS[indicator]
