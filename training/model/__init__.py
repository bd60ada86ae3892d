"""The artefact that training hands to serving, and every part of it.

`risk_model` is the folder as a whole, `manifest` what it says of itself, `signing` its seal;
`model_inputs` and `encoding` turn features into the numbers that trees read, `calibration` turns
margins into log-odds. `reference_distribution`, `peer_reference` and `training_support` are what
reasons and monitoring compare a case with. `model_home` is the place on this machine from which
serving reads models.
"""
