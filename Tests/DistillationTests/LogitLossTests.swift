import Foundation
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Values and gradients of every loss: against autograd through the plain formulas
/// (scripts/fixtures/logit_losses.py), and against differences of their own values.
@Suite(.takesTurns) struct LogitLossTests {
    private func inputs(_ dtype: DType = .float64) throws -> (
        student: Tensor, teacher: Tensor, labels: Tensor, file: FixtureFile
    ) {
        let file = try FixtureFile("logit-losses", in: .module)
        return (
            try file.tensor("student").to(dtype), try file.tensor("teacher").to(dtype),
            try file.tensor("labels"), file
        )
    }

    @Test func theTableIsTheFixture() throws {
        let names = try inputs().file.names.filter { $0.hasSuffix(".gradient") }
        #expect(names.map { String($0.dropLast(9)) }.sorted() == LossTable.names)
    }

    @Test(arguments: LossTable.names, [DType.float64, .float32])
    func fixture(_ name: String, _ dtype: DType) throws {
        try withNoLeaks {
            let (student, teacher, labels, file) = try inputs(dtype)
            let loss = LossTable.all[name]!(Logits(student), Logits(teacher), labels)
            #expect(loss.values.dtype == dtype && loss.gradient.dtype == dtype)
            let tolerance = dtype == .float64 ? 1e-11 : 1e-5
            try file.expect(loss.values, is: "\(name).values", tolerance: tolerance)
            try file.expect(loss.gradient, is: "\(name).gradient", tolerance: tolerance)
        }
    }

    /// Central differences in float64 of each loss's own values.
    @Test(arguments: LossTable.names) func finiteDifferences(_ name: String) throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs()
            let loss = LossTable.all[name]!
            func values(_ z: Tensor) -> Tensor { loss(Logits(z), Logits(teacher), labels).values }
            let gradient = loss(Logits(student), Logits(teacher), labels).gradient
            let h = 1e-5
            // All rows at once: a value depends on no other row.
            let columns = (0..<5).map { c in
                let step = Tensor((0..<5).map { $0 == c ? h : 0 }, [1, 5])
                return (values(student + step) - values(student - step)) / (2 * h)
            }
            try expectClose(gradient, Tensor.stacked(columns, 1), 2e-8, name)
        }
    }

    /// A training step through a layer sees the closed form, row by row with its own upstream
    /// gradient, and nothing reaches the teacher.
    @Test(arguments: LossTable.names) func attachedBackward(_ name: String) throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs()
            let weights = Tensor([0.5, -1, 2, 0, 3, 1], [6])
            let scale = Tensor([1, 2, 0.5, -1, 3], [5])
            let leaf = student.cloned()
            leaf.requiresGrad = true
            teacher.requiresGrad = true
            let logits = Logits(leaf * scale)
            let loss = LossTable.all[name]!(logits, Logits(teacher), labels)
            #expect(!loss.values.requiresGrad && !loss.gradient.requiresGrad)
            let attached = loss.attached(to: logits)
            #expect(attached.doubles() == loss.values.doubles())
            (attached * weights).sum().backward()
            try expectClose(
                try #require(leaf.gradient), loss.gradient * weights.unsqueezed(1) * scale, 1e-13)
            #expect(teacher.gradient == nil)
        }
    }

    /// Logits of extreme size, wherever their largest entries are.
    @Test(arguments: LossTable.names, [DType.float64, .float32])
    func finiteForExtremeLogits(_ name: String, _ dtype: DType) throws {
        try withNoLeaks {
            var draw = Draw(seed: 3, .tests)
            let count = 1000
            func logits() -> Tensor {
                Tensor(
                    (0..<count * 4).map { _ in
                        switch draw.next() % 4 {
                        case 0: 1e4
                        case 1: -1e4
                        case 2: 1e4 * (2 * draw.uniform() - 1)
                        default: draw.normal()
                        }
                    }, [count, 4]
                ).to(dtype)
            }
            let (z, t) = (logits(), logits())
            let labels = Tensor((0..<count).map { $0 % 4 }, [count])
            for teacher in [t, z] {
                let loss = LossTable.all[name]!(Logits(z), Logits(teacher), labels)
                #expect(loss.values.isFinite().all().item == 1)
                #expect(loss.gradient.isFinite().all().item == 1)
                #expect(loss.values.min().item >= (name == "soft-labels" ? -1e-6 : 0))
            }
        }
    }

    @Test func arithmetic() throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs()
            let a = LossTable.all["kl.T1.0"]!(Logits(student), Logits(teacher), labels)
            let b = LossTable.all["gce-0.7"]!(Logits(student), Logits(teacher), labels)
            let sum = a * 0.25 + b
            try expectClose(sum.values, a.values * 0.25 + b.values, 0)
            try expectClose(sum.gradient, a.gradient * 0.25 + b.gradient, 0)
            let weighted = a.weighted(by: Tensor([1.0, 2, 0, 0, 0, 3], [6]))
            #expect(weighted.values.doubles()[1] == 2 * a.values.doubles()[1])
            #expect(Array(weighted.gradient.doubles()[10..<25]).allSatisfy { $0 == 0 })
            #expect(weighted.gradient.doubles()[29] == 3 * a.gradient.doubles()[29])
        }
    }

    /// Under autocast logits are bfloat16: losses are computed in float32, the gradient is rounded at
    /// the end.
    @Test func bfloat16Logits() throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs(.bfloat16)
            student.requiresGrad = true
            let loss = LossTable.all["renyi-1.5.T1.0"]!(Logits(student), Logits(teacher), labels)
            #expect(loss.values.dtype == .float32 && loss.gradient.dtype == .float32)
            loss.attached(to: Logits(student)).sum().backward()
            let found = try #require(student.gradient)
            #expect(found.dtype == .bfloat16)
            #expect(found.doubles() == loss.gradient.to(.bfloat16).doubles())
        }
    }

    // MARK: Relations between members

    /// q → 0 is cross-entropy; q = 1 is 1 − p_y. With β = 0 symmetric cross-entropy is cross-entropy.
    @Test func labelLossesMeetCrossEntropy() throws {
        try withNoLeaks {
            let (student, _, labels, _) = try inputs()
            let z = Logits(student)
            let plain = LabelLoss.crossEntropy()(z, labels: labels)
            let small = LabelLoss.generalised(q: 1e-9)(z, labels: labels)
            try expectClose(small.values, plain.values, 1e-7)
            try expectClose(small.gradient, plain.gradient, 1e-7)
            let symmetric = LabelLoss.symmetric(alpha: 2, beta: 0)(z, labels: labels)
            try expectClose(symmetric.values, plain.values * 2, 1e-13)
            try expectClose(symmetric.gradient, plain.gradient * 2, 1e-13)
            let p = z.probabilities().tensor.gathered(1, labels.unsqueezed(1)).squeezed(1)
            let absolute = LabelLoss.generalised(q: 1)(z, labels: labels)
            try expectClose(absolute.values, 1 - p, 1e-13)
        }
    }

    /// With β = 1 − p_y of the teacher, decoupled distillation is KL: the identity it begins from.
    @Test func decoupledIsKullbackLeibler() throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs()
            for row in 0..<6 {
                let pick = Tensor([row], [1])
                let (z, t) = (student.indexed(0, by: pick), teacher.indexed(0, by: pick))
                let label = labels.indexed(0, by: pick)
                let p = (t / 2).softmax().gathered(1, label.unsqueezed(1)).item
                let decoupled = DecoupledDistillation(target: 1, nonTarget: 1 - p)(
                    teacher: Logits(t), student: Logits(z), labels: label, temperature: 2)
                let whole = Divergence.kl(peer: Logits(t), own: Logits(z), temperature: 2)
                try expectClose(decoupled.values, whole.values, 1e-12)
                try expectClose(decoupled.gradient, whole.gradient, 1e-12)
            }
        }
    }

    /// Standardised logits know nothing of the size and offset of a network's own.
    @Test func standardisingForgetsScale() throws {
        try withNoLeaks {
            let (student, teacher, labels, _) = try inputs()
            func loss(_ z: Tensor, _ t: Tensor) -> LogitLoss {
                TeacherLoss.divergence(.kl)(
                    teacher: Logits(t), student: Logits(z), labels: labels, temperature: 2,
                    standardised: true)
            }
            let plain = loss(student, teacher)
            let other = loss(student * 3 + 7, teacher * 0.2 - 1)
            try expectClose(other.values, plain.values, 1e-6)
            try expectClose(other.gradient * 3, plain.gradient, 1e-6)
            let equal = loss(student * 0 + 4, teacher)
            #expect(equal.gradient.isFinite().all().item == 1)
        }
    }
}
