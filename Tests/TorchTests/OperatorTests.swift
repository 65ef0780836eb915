import Foundation
import TestSupport
import Testing
import Torch

/// Every operator and its gradient against PyTorch (fixture: scripts/fixtures/torch_ops.py) and
/// against finite differences.
///
/// Errors are max |a − b| / max(1, |b|), see `largestError`. The references were computed in
/// float64, so that float32 results have to be right to 1e-6 on their own.
@Suite(.takesTurns) struct OperatorTests {
    static let fixture = Result { try FixtureFile("operators", in: .module) }

    /// One case of the fixture with fresh tensors.
    struct Case {
        let name: String
        let inputs: [Tensor]
        let leaves: [Int]
        let outputs: [Tensor]
        let seed: Tensor?
        let gradients: [Tensor]

        init(_ name: String) throws {
            self.name = name
            let fixture = try OperatorTests.fixture.get()
            func list(_ part: String) throws -> [Tensor] {
                try (0..<10).map { "\(name)|\(part).\($0)" }.filter(fixture.has)
                    .map(fixture.tensor)
            }
            inputs = try list("in")
            outputs = try list("out")
            seed = fixture.has("\(name)|seed") ? try fixture.tensor("\(name)|seed") : nil
            leaves = inputs.indices.filter { fixture.has("\(name)|grad.\($0)") }
            gradients = try leaves.map { try fixture.tensor("\(name)|grad.\($0)") }
        }

        func compute(_ inputs: [Tensor]) -> [Tensor] { OperatorTable.all.cases[name]!(inputs) }

        /// Outputs, and gradients in the leaves if there is a seed.
        func evaluate(_ given: [Tensor]) throws -> (outputs: [Tensor], gradients: [Tensor]) {
            try Engine.checked {
                for k in leaves { given[k].requiresGrad = true }
                let outputs = compute(given)
                guard let seed else { return (outputs, []) }
                let gradients = Tensor.gradients(
                    of: outputs[0], with: leaves.map { given[$0] }, seed: seed.to(outputs[0].dtype))
                return (outputs, gradients)
            }
        }

        func expectReference(_ given: [Tensor], _ tolerance: Double = 1e-6) throws {
            let (values, slopes) = try evaluate(given)
            try #require(values.count == outputs.count)
            for (k, (value, reference)) in zip(values, outputs).enumerated() {
                #expect(value.dtype == reference.dtype)
                try expectClose(value, reference, tolerance, "\(name), output \(k)")
            }
            for (k, (slope, reference)) in zip(slopes, gradients).enumerated() {
                #expect(slope.dtype == .float32)
                try expectClose(slope, reference, tolerance, "\(name), gradient \(leaves[k])")
            }
        }
    }

    @Test(arguments: OperatorTable.names) func equalsPyTorch(_ name: String) throws {
        try withNoLeaks {
            let one = try Case(name)
            #expect(!one.inputs.isEmpty && !one.outputs.isEmpty)
            try one.expectReference(one.inputs)
        }
    }

    /// The same numbers from inputs that are views with gaps in memory, and, of rank 4, from
    /// channels-last inputs: layout never changes a result.
    @Test(arguments: OperatorTable.names) func layoutDoesNotMatter(_ name: String) throws {
        try withNoLeaks {
            let one = try Case(name)
            let gapped = one.inputs.map { x in
                Tensor.stacked([x, x], x.rank).selected(x.rank, 1)
            }
            #expect(gapped.allSatisfy { $0.count < 2 || !$0.isContiguous })
            try one.expectReference(gapped)
            if one.inputs.contains(where: { $0.rank == 4 }) {
                try one.expectReference(one.inputs.map { $0.rank == 4 ? $0.channelsLast() : $0 })
            }
        }
    }

    /// PyTorch gives the padding row no gradient although the output depends on it.
    static let notDifferences: Set = ["embedding:padding"]

    /// Analytic gradients in float64 against central differences of sum(seed · output).
    @Test(arguments: OperatorTable.names.filter { !notDifferences.contains($0) })
    func gradientsEqualFiniteDifferences(_ name: String) throws {
        try withNoLeaks {
            let one = try Case(name)
            guard let seed = one.seed?.to(.float64) else { return }
            let given = one.inputs.map { $0.dtype == .float32 ? $0.to(.float64) : $0 }
            let slopes = try one.evaluate(given.map { $0.cloned() }).gradients
            for (k, slope) in zip(one.leaves, slopes) {
                let start = given[k].doubles()
                // Balances the truncation error h² against the rounding error 1e-16/h.
                let h = 6e-6
                func value(_ i: Int, _ change: Double) -> Double {
                    var moved = start
                    moved[i] += change
                    var inputs = given
                    inputs[k] = Tensor(moved, given[k].shape)
                    return (one.compute(inputs)[0] * seed).sum().item
                }
                let differences = start.indices.map { (value($0, h) - value($0, -h)) / (2 * h) }
                try expectClose(slope.doubles(), differences, 1e-6, "\(name), gradient \(k)")
            }
        }
    }

    @Test func tableAndFixtureHaveTheSameCases() throws {
        let names = try OperatorTests.fixture.get().names
            .compactMap { $0.split(separator: "|").first.map(String.init) }
        #expect(Set(names).subtracting(["generator"]).sorted() == OperatorTable.names)
    }
}
