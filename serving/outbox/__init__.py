"""Deliveries to other systems: one worker, and one file for each channel.

`outbox` looks at what is due and delivers it on threads of each channel's own. A channel says what
is due (`take`) and makes one delivery. How far a receiver got stands in the database before the
next delivery to it, so that nothing is lost whenever a process is killed; a receiver may get the
newest delivery twice, and knows it by its id.
"""
