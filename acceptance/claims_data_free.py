def run(check):
    check.say(False, "data_free", "not written", "written")
