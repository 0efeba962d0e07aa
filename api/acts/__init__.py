"""What a person does or looks at, with all that belongs to it beside the command: cookies, guesses, brakes, time.

Whatever surface they use, it is the same: routes of the contract and pages ask here, and each answers in its own form.
"""
