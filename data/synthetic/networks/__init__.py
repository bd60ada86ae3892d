"""Smuggling as it is organised: typologies, as data, and the life of a network.

A network practises one typology: it forms, moves several times in concert, turns to a neighbouring
corridor, a new shell and another way of paying after a seizure, and ends. Most of its movements
carry nothing; how likely each one does is drawn first, and the signs it leaves follow from that.
"""
