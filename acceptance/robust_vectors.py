"""Losses and single steps against the reference vectors, and kills: the tests that hold them."""

SUITES = {
    "losses, mixture and one step of each method (float64 1e-6, float32 1e-5)":
        r"(DistillationTests\.)(LabelLoss|LossMixture|SOPVector|JoCoRVector|DivideMixVector|EarlyLearningPlusVector|"
        r"NCODVector|LCCNVector|Mixup|CoTeaching|EarlyLearning)",
    "losses and methods as recipes train them":
        r"TrainingTests\.(TruncatedLoss|LossCorrection|Mixup|SOP|JoCoR|DivideMix|EarlyLearningPlus|NCOD|LCCN|PES|"
        r"CoTeaching|EarlyLearning|TeacherMethod|Preset)",
    "gamma and beta draws": r"GammaTests",
    "every method killed and resumed to the same bytes": r"KillTests",
}


def run(check):
    for i, (name, filter) in enumerate(SUITES.items()):
        ok, _, seconds = check.tests(f"vectors-{i}", filter)
        check.say(ok, name, f"{'passed' if ok else 'failed'}, {seconds:.0f} s", "all tests pass")
