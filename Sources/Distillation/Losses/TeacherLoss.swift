import Diagnostics
import Torch

/// What pulls a student towards its teacher: any divergence, or decoupled distillation, which needs the
/// given labels besides.
public enum TeacherLoss: Equatable, Sendable {
    case divergence(Divergence)
    case decoupled(DecoupledDistillation)

    /// - Parameters:
    ///   - teacher: [N, C], constant.
    ///   - labels: the given ones [N], int64.
    ///   - temperature: T > 0; values carry the factor T².
    ///   - standardised: standardise both networks' logits first; see `standardised`.
    public func callAsFunction(
        teacher: Logits, student: Logits, labels: Tensor, temperature: Double = 1,
        standardised: Bool = false
    ) -> LogitLoss {
        func loss(_ teacher: Logits, _ student: Logits) -> LogitLoss {
            switch self {
            case .divergence(let divergence):
                divergence(peer: teacher, own: student, temperature: temperature)
            case .decoupled(let decoupled):
                decoupled(
                    teacher: teacher, student: student, labels: labels, temperature: temperature)
            }
        }
        return standardised
            ? LogitLoss.standardised(teacher, student, loss) : loss(teacher, student)
    }

    /// The same values as a function of `student`, for training. KL goes the way of
    /// `distillationLoss`: phases that were trained so keep their numbers to the last bit.
    ///
    /// - Returns: [N]
    public func trainingLoss(
        teacher: Logits, student: Logits, labels: Tensor, temperature: Double,
        standardised: Bool = false
    ) -> Tensor {
        if self == .divergence(.kl), !standardised {
            return distillationLoss(student: student, teacher: teacher, temperature: temperature)
        }
        return self(
            teacher: teacher, student: student, labels: labels, temperature: temperature,
            standardised: standardised
        ).attached(to: student)
    }
}

/// Decoupled knowledge distillation: Zhao, Cui, Song, Qiu, Liang, "Decoupled Knowledge Distillation",
/// 2022, arXiv 2203.08679, eq. 7.
///
///     α T² KL(b^t ‖ b^s) + β T² KL(p̂^t ‖ p̂^s)
///
/// y is the given label; b = (p_y, 1 − p_y) says whether it is the target class, p̂ is the
/// distribution over the other classes. KL(p^t ‖ p^s) is the same with α = 1 and β = 1 − p^t_y: a
/// confident teacher silences what it knows of the other classes, and a constant β does not let it.
///
///     gradient   T [ α (p^s_y − p^t_y)(onehot(y) − p̂^s) + β (p̂^s − p̂^t) ],  p̂_y = 0
///
/// Where the label is wrong, so is the target class: under label noise compare with kl.
public struct DecoupledDistillation: Equatable, Sendable {
    /// α ≥ 0, weight of the target class. 1 in all of the paper's experiments.
    public var target: Double
    /// β ≥ 0, weight of the other classes. 8 for most pairs on CIFAR-100, 0.5 on ImageNet, from
    /// memory; larger for more confident teachers.
    public var nonTarget: Double

    public init(target: Double = 1, nonTarget: Double = 8) {
        self.target = target
        self.nonTarget = nonTarget
    }

    /// For two classes and more.
    public func callAsFunction(
        teacher: Logits, student: Logits, labels: Tensor, temperature: Double = 1
    ) -> LogitLoss {
        withoutGradient {
            let lp = teacher.logProbabilities(temperature: temperature).tensor  // [N, C]
            let lq = student.logProbabilities(temperature: temperature).tensor
            let label = labels.unsqueezed(1)  // [N, 1]
            let target = labels.oneHot(lq.shape[1])
            let isTarget = target.equal(1)
            let p = DecoupledDistillation.split(lp, label, isTarget)
            let q = DecoupledDistillation.split(lq, label, isTarget)
            let (hitP, hitQ) = (p.hit.exp(), q.hit.exp())  // [N, 1]
            let binary = hitP * (p.hit - q.hit) + p.miss.exp() * (p.miss - q.miss)
            let (otherP, otherQ) = (p.others.exp(), q.others.exp())  // [N, C], 0 at y
            // −∞ − −∞ at the target class.
            let difference = (p.others - q.others).filled(where: isTarget, with: 0)
            let others = (otherP * difference).sum(-1, keep: true)
            let values = binary * self.target + others * nonTarget
            let gradient =
                (target.to(lq.dtype) - otherQ) * (hitQ - hitP) * self.target
                + (otherQ - otherP) * nonTarget
            return LogitLoss(values: values.squeezed(1).clamped(0, nil), gradient: gradient)
                .rescaled(temperature)
        }
    }

    /// log p_y and log(1 − p_y) [N, 1]; log p̂ [N, C], −∞ at y.
    private static func split(_ lp: Tensor, _ label: Tensor, _ isTarget: Tensor) -> (
        hit: Tensor, miss: Tensor, others: Tensor
    ) {
        let rest = lp.filled(where: isTarget, with: -.infinity)
        let miss = rest.logSumExp(-1, keep: true)
        return (lp.gathered(1, label), miss, rest - miss)
    }
}

extension LogitLoss {
    /// A loss of standardised logits: Sun, Ren, Li, Wang, Cao, "Logit Standardization in Knowledge
    /// Distillation", 2024, arXiv 2403.01427.
    ///
    ///     v = (z − mean z)/(sd z + 1e-7)     per sample, for both networks; then loss(v_t, v_s)
    ///     ∂/∂z = ( g − mean g − x Σ g x / ((C−1) s (s + 1e-7)) ) / (s + 1e-7),  x = z − mean z, g = ∂/∂v
    ///
    /// The student then need not match the size of the teacher's logits, only their pattern. sd is
    /// the unbiased one, s.
    static func standardised(
        _ teacher: Logits, _ student: Logits, _ loss: (Logits, Logits) -> LogitLoss
    ) -> LogitLoss {
        withoutGradient {
            func parts(_ logits: Logits) -> (x: Tensor, s: Tensor) {
                let z = logits.inLossPrecision
                return (
                    z - z.mean(-1, keep: true),
                    // Equal logits: x is 0, and what is divided by s must not become 0/0.
                    z.variance(-1, keep: true).sqrt().clamped(1e-12, nil)
                )
            }
            let (t, own) = (parts(teacher), parts(student))
            let (x, size) = (own.x, own.s + 1e-7)
            let inner = loss(Logits(t.x / (t.s + 1e-7)), Logits(x / size))
            let g = inner.gradient  // [N, C], with respect to x / size
            let along =
                (g * x).sum(-1, keep: true) / (own.s * size * Double(x.shape[1] - 1))  // [N, 1]
            return LogitLoss(
                values: inner.values, gradient: (g - g.mean(-1, keep: true) - x * along) / size)
        }
    }
}

// In a recipe: as a divergence, or `divergence: {name: dkd, target: 1, non-target: 8}`.
extension TeacherLoss: Codable {
    enum Name: String, Codable, CaseIterable {
        case kl
        case reverseKL = "reverse-kl"
        case jensenShannon = "jensen-shannon"
        case renyi, dkd
    }
    private enum Keys: String, CodingKey {
        case name, target
        case nonTarget = "non-target"
    }

    public init(from decoder: any Decoder) throws {
        let (name, values) = try NamedLoss.decode(Name.self, Keys.name, from: decoder)
        guard name == .dkd else {
            self = .divergence(try Divergence(from: decoder))
            return
        }
        let target = try NamedLoss.number(Keys.target, or: 1, in: values, "0 or more") {
            $0 >= 0 && $0.isFinite
        }
        let expected = target > 0 ? "0 or more" : "above 0, as target is 0"
        self = .decoupled(
            DecoupledDistillation(
                target: target,
                nonTarget: try NamedLoss.number(Keys.nonTarget, or: 8, in: values, expected) {
                    $0 >= 0 && $0.isFinite && target + $0 > 0
                }))
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .divergence(let divergence): try divergence.encode(to: encoder)
        case .decoupled(let decoupled):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(Name.dkd, forKey: .name)
            try values.encode(decoupled.target, forKey: .target)
            try values.encode(decoupled.nonTarget, forKey: .nonTarget)
        }
    }
}
