"""The artefact that training hands to serving, and its parts.

`risk_model` is the whole folder, `manifest` its description, `signing` its signature.
`model_inputs` and `encoding` turn features into the numbers that trees read, `calibration` turns
margins into log-odds. Reasons and monitoring compare cases with `reference_distribution`,
`usual_values_of_peers` and `training_support`. `model_home` is the place on this machine from which
serving reads models.
"""
