"""Deliveries to other systems: one worker, and one file for each channel.

`outbox` polls for due deliveries and runs them on separate threads for each channel: `rescue` calls
centres until a person acknowledges. `feeds` delivers what has an order to receivers that may fail
for days: `webhooks` (case events), `witness_channel` (checkpoints) and `alert_channel` (alerts of
monitoring). The progress of a receiver is committed before its next delivery, so a killed process
loses nothing. A receiver may get the newest delivery twice and recognises it by its id.
"""
