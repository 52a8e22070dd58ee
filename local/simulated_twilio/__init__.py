"""A Twilio on this machine: the REST calls Ringbook makes and a caller who dials its numbers."""
