def run(check):
    check.say(False, "faults", "not written", "written")
