"""Exchange between agencies: signed STIX 2.1 objects over TAXII 2.1. The core never imports it.

`object_kinds` lists what may travel, `exchanged_objects` makes and checks it, `distribution` says
how far it may go, and `deliveries` signs each step of its way. Persons never travel.
"""
