"""What answers over HTTP: the receiver of webhook events."""
