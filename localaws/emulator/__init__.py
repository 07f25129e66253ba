"""What runs inside the emulator's own virtualenv, beside it; nothing else imports this."""
