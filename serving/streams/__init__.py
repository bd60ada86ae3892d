"""Messages of a broker in, decisions and case events out; a process of its own next to the service.

What enters are messages of Kafka or NATS JetStream; what leaves are the service's answers, case
events and dead letters. It knows the service by HTTP alone: one writer stays one writer, and
limits, scopes and the audit log hold. Only the command line imports it.
"""
