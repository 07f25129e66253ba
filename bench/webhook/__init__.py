"""Webhook events a second: the receiver, and what one would write without it."""
