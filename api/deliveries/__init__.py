"""Sending what is due (`projections/deliveries`): who leases and sends, by which transport, and what messages say."""
