"""A file of rescue centres, as a deployer writes it."""

CENTRES = """
desk_telephone = "+49 40 555 0100"
acknowledge_within_minutes = 5

[[centres]]
name = "MRCC Piraeus"
receives_for_state = "GR"
brings_to_place_of_safety = true
telephone = "+30 210 411 2500"
addresses = ["https://piraeus.example/calls", "https://desk.example/piraeus"]
secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
areas = [{ box = [34.0, 19.0, 41.0, 29.0] }]

[[centres]]
name = "MRCC Rome"
receives_for_state = "IT"
brings_to_place_of_safety = true
addresses = ["https://rome.example/calls"]
secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
areas = [{ polygon = [[35.0, 11.0], [41.0, 8.0], [43.0, 10.0], [38.0, 19.0]] }]

[[centres]]
name = "national desk"
receives_for_state = "DE"
brings_to_place_of_safety = true
addresses = ["https://desk.example/calls"]
secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
covers = ["sea", "land"]
"""
