"""The whole system on one machine: an emulated cloud, a simulated Twilio and sample calls."""
