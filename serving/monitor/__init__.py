"""Monitoring: figures about all traffic, estimated from the part that was inspected.

`rollups` reads each decision of the log once, `decision_facts` extracts the fields that matter
here, and a `day_summary` counts them, so that no report reads ten million records again.
`selection_strata` groups counts, visits and outcomes into strata of equal selection probability.
`population` estimates shares of all subjects from them, with intervals, or refuses where too little
is known. `drift` detects changes of inputs, scores or reasons in a week, `findings_shift` whether
the model still holds, and `arrivals` whether records still come; `judged_week` combines the three.
`challenger_comparison` estimates what a challenger would have changed. A `monitoring_report`
combines everything; `alerts` reports what is new, and raises the random draws until the drift is
over.
"""
