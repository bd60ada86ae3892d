"""Stream bridge: broker messages in, decisions and case events out, in a process of its own.

Reads messages from Kafka or NATS JetStream; sends the service's answers, case events and dead
letters. It reaches the service over HTTP only, so that the database keeps one writer, and limits,
scopes and the audit log apply. Only the command line imports it.
"""
