def run(check):
    check.say(False, "self_distillation", "not written", "written")
