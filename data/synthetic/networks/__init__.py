"""Organised smuggling: typologies as data, and the life of a network.

A network practises one typology: it forms, makes several coordinated movements, switches to a
neighbouring corridor, a new shell company and another means of payment after a seizure, and ends.
Most of its movements carry nothing. The probability of each is drawn first, and the signs it leaves
follow from that.
"""
