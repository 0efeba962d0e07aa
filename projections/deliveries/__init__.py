"""Messages to somebody outside, from the event that makes one due to what became of it; `api/deliveries` sends them."""
