"""What really happens: figures about all traffic, from the part of it that somebody looked at.

`strata` turns decisions and outcomes into strata of equal probability of selection, `population`
estimates shares of all subjects from them, with intervals, or refuses where too little is known.
`drift` says whether inputs, scores or reasons have moved. Everything here is plain numbers in and
out; the store counts, commands and the console show.
"""
