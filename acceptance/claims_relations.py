def run(check):
    check.say(False, "relations", "not written", "written")
