def run(check):
    check.say(False, "mutual", "not written", "written")
