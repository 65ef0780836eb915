def run(check):
    check.say(False, "mixing", "not written", "written")
