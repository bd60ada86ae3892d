"""What really happens: figures about all traffic, from the part of it that somebody looked at.

Beside the service, `rollups` reads each decision of the log once, `decision_facts` takes from it
what matters here, and a `day_summary` counts it, so that nothing reads ten million records again.
`selection_strata` turns counts, visits and outcomes into strata of equal probability of selection,
`population` estimates shares of all subjects from them, with intervals, or refuses where too little
is known. `drift` says whether inputs, scores or reasons moved in a week, `findings_shift` whether
the model still holds, `arrivals` whether records still come; `judged_week` puts the three together;
`challenger_comparison` what a challenger would have changed. A `monitoring_report` puts them
together; `alerts` tells what is new, and has more drawn at random until the drift is over.
"""
