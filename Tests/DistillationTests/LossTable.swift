import Distillation
import Torch

/// Every loss of `Losses/` that hands over its gradient, by the name it has in the fixture.
enum LossTable {
    typealias Loss = @Sendable (_ student: Logits, _ teacher: Logits, _ labels: Tensor) -> LogitLoss

    static let all: [String: Loss] = {
        var all: [String: Loss] = [:]
        for t in [1.0, 3] {
            func teacherLoss(_ name: String, _ loss: TeacherLoss, _ standardised: Bool = false) {
                all["\(name).T\(t)"] = {
                    loss(
                        teacher: $1, student: $0, labels: $2, temperature: t,
                        standardised: standardised)
                }
            }
            teacherLoss("kl", .divergence(.kl))
            teacherLoss("reverse-kl", .divergence(.reverseKL))
            for weight in [0.1, 0.5, 0.8] {
                teacherLoss(
                    "jensen-shannon-\(weight)", .divergence(.jensenShannon(weight: weight)))
            }
            for order in orders {
                teacherLoss("renyi-\(order)", .divergence(.renyi(order: order)))
            }
            teacherLoss("dkd-1-8", .decoupled(.init()))
            teacherLoss("dkd-0.5-0", .decoupled(.init(target: 0.5, nonTarget: 0)))
            teacherLoss("standardised-kl", .divergence(.kl), true)
        }
        func labelLoss(_ name: String, _ loss: LabelLoss) {
            all[name] = { student, _, labels in loss(student, labels: labels) }
        }
        for smoothing in [0, 0.3] {
            labelLoss("cross-entropy-\(smoothing)", .crossEntropy(smoothing: smoothing))
        }
        for q in [0.1, 0.7, 1] { labelLoss("gce-\(q)", .generalised(q: q)) }
        labelLoss("sce-0.1-1.0--4.0", .symmetric())
        labelLoss("sce-6.0-0.1--9.0", .symmetric(alpha: 6, beta: 0.1, logZero: -9))
        all["soft-labels"] = { student, teacher, _ in
            .crossEntropy(student, teacher.probabilities())
        }
        return all
    }()

    static let names = all.keys.sorted()

    static let orders = [
        0, 0.25, 0.5, 0.8, 0.999, 1, 1.001, 1.2, 1.5, 2, 5, 40, Double.infinity,
    ]
}
