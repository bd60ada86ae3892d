"""Deliveries to other systems: one worker, and one file for each channel.

`outbox` polls for due deliveries and runs them on separate threads for each channel. A channel
selects what is due (`take`) and makes one delivery. The progress of a receiver is committed before
its next delivery, so a killed process loses nothing. A receiver may get the newest delivery twice
and recognises it by its id.
"""
