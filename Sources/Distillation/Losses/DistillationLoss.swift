import Torch

/// T² KL( softmax(t/T) ‖ softmax(z/T) ) per sample [N]; no gradient reaches the teacher.
public func distillationLoss(student: Logits, teacher: Logits, temperature: Double) -> Tensor {
    let target = teacher.detached.logProbabilities(temperature: temperature)  // [N, C]
    let own = student.logProbabilities(temperature: temperature)  // [N, C]
    return kullbackLeibler(target, own) * (temperature * temperature)  // [N]
}
