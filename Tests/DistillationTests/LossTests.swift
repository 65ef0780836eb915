import Foundation
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Losses and gradients against `torch.nn.functional` (scripts/fixtures/distillation.py).
@Suite(.takesTurns) struct LossTests {
    /// A fixture's inputs as leaves.
    private struct Inputs {
        let student: Tensor
        let teacher: Tensor
        let labels: Tensor
        let fixture: FixtureFile
        let dtype: String

        init(_ dtype: String) throws {
            fixture = try FixtureFile("losses", in: .module)
            self.dtype = dtype
            student = try fixture.tensor("\(dtype).student")
            teacher = try fixture.tensor("\(dtype).teacher")
            labels = try fixture.tensor("labels")
            student.requiresGrad = true
            teacher.requiresGrad = true
        }

        /// - Parameter single: tolerance in float32, where T² = 400 magnifies the rounding of both.
        func expect(_ values: Tensor, _ name: String, single: Double = 1e-6) throws {
            let tolerance = dtype == "f64" ? 1e-12 : single
            try expectClose(values, fixture.tensor("\(dtype).\(name).values"), tolerance, name)
            values.mean().backward()
            try expectClose(
                try #require(student.gradient), fixture.tensor("\(dtype).\(name).gradient"),
                tolerance,
                "gradient of \(name)")
        }
    }

    @Test(arguments: ["f32", "f64"], [0.0, 0.1, 0.5])
    func smoothing(_ dtype: String, _ smoothing: Double) throws {
        try withNoLeaks {
            let inputs = try Inputs(dtype)
            try inputs.expect(
                crossEntropy(Logits(inputs.student), labels: inputs.labels, smoothing: smoothing),
                "smoothing-\(smoothing)")
        }
    }

    @Test(arguments: ["f32", "f64"], [1.0, 2.0, 4.0, 20.0])
    func distillation(_ dtype: String, _ temperature: Double) throws {
        try withNoLeaks {
            let inputs = try Inputs(dtype)
            try inputs.expect(
                distillationLoss(
                    student: Logits(inputs.student), teacher: Logits(inputs.teacher),
                    temperature: temperature), "kd-\(temperature)",
                single: temperature == 20 ? 1e-4 : 1e-6)
            #expect(inputs.teacher.gradient == nil, "nothing flows to the teacher")
        }
    }

    @Test(arguments: ["f32", "f64"], ["0.5", "1.0", "3.0", "hard"])
    func pseudoLabelling(_ dtype: String, _ beta: String) throws {
        try withNoLeaks {
            let inputs = try Inputs(dtype)
            let table = pseudoLabels(
                Logits(inputs.teacher.detached()), beta: Double(beta) ?? .infinity)
            try expectClose(
                table.tensor, inputs.fixture.tensor("\(dtype).pseudo-\(beta).labels"), 1e-6,
                "labels")
            let targets = Probabilities(table.tensor.to(inputs.student.dtype))
            try inputs.expect(crossEntropy(Logits(inputs.student), targets), "pseudo-\(beta)")
        }
    }

    /// The objective's total is the weighted sum of both means.
    @Test(arguments: ["f32", "f64"]) func bothTerms(_ dtype: String) throws {
        try withNoLeaks {
            let inputs = try Inputs(dtype)
            let losses = Losses(
                .init(
                    "a", weight: 0.3, crossEntropy(Logits(inputs.student), labels: inputs.labels)),
                .init(
                    "b", weight: 0.7,
                    distillationLoss(
                        student: Logits(inputs.student), teacher: Logits(inputs.teacher),
                        temperature: 4)))
            losses.total.backward()
            let tolerance = dtype == "f64" ? 1e-12 : 1e-6
            try expectClose(
                [losses.total.item],
                [inputs.fixture.tensor("\(dtype).both.values").to(.float64).mean().item], tolerance)
            try expectClose(
                try #require(inputs.student.gradient),
                inputs.fixture.tensor("\(dtype).both.gradient"),
                tolerance, "gradient")
        }
    }

    /// Central differences in float64 for what autograd says.
    @Test(arguments: 0..<4) func finiteDifferences(_ loss: Int) throws {
        try withNoLeaks {
            // Not the fixture's: entries that far apart have gradients of 0.
            let z = [0.3, -1.2, 0.7, 1.9, -0.4, 0.1, -2.2, 0.9, 0.5, 1.1, -0.6, 0.2]
            let t = Tensor(
                [1.3, 0.2, -0.7, 0.4, 2.4, -0.1, 0.2, -0.9, 1.5, 0.1, 0.6, 3.2], [3, 4])
            let labels = Tensor([2, 0, 3], [3])
            func value(_ z: Tensor) -> Tensor {
                let own = Logits(z)
                return switch loss {
                case 0: crossEntropy(own, labels: labels).mean()
                case 1: crossEntropy(own, labels: labels, smoothing: 0.2).mean()
                case 2: distillationLoss(student: own, teacher: Logits(t), temperature: 3).mean()
                default: crossEntropy(own, Logits(t).probabilities(temperature: 0.5)).mean()
                }
            }
            let leaf = Tensor(z, [3, 4])
            leaf.requiresGrad = true
            value(leaf).backward()
            let h = 1e-5
            let numeric = z.indices.map { i in
                var (up, down) = (z, z)
                up[i] += h
                down[i] -= h
                return (value(Tensor(up, [3, 4])).item - value(Tensor(down, [3, 4])).item) / (2 * h)
            }
            try expectClose(try #require(leaf.gradient).doubles(), numeric, 1e-9)
        }
    }
}
