import Foundation
import Neural
import SafeTensors
import Testing
import Torch

/// The suites of this target hang here, so that each test is seen to give back every tensor it made.
@Suite(.leavesNoTensors) enum NeuralTests {}

/// The live-handle counter is where it was when the test ends.
struct LeavesNoTensors: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // The tests are synchronous, so they stay on this thread; others may run meanwhile.
        let (before, thread) = (Engine.liveHandlesOfThread, pthread_self())
        try await function()
        #expect(pthread_self() == thread, "the test left its thread")
        #expect(Engine.liveHandlesOfThread == before, "tensors are still alive")
    }
}

extension Trait where Self == LeavesNoTensors {
    static var leavesNoTensors: Self { LeavesNoTensors() }
}

/// Numbers that the fixture script computes too (`values` in scripts/fixtures/models.py).
func values(_ stream: Int, _ shape: [Int], scale: Double = 1, shift: Double = 0) -> Tensor {
    let golden: UInt64 = 0x9e37_79b9_7f4a_7c15
    let values = (0..<UInt64(shape.reduce(1, *))).map { i in
        var z = (UInt64(stream) << 32 + i) &* golden &+ golden
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        return Float((Double(z >> 40) / 0x1p23 - 1) * scale + shift)
    }
    return Tensor(values, shape)
}

/// The stream of the inputs.
let inputStream = 1000

/// Gives every parameter and buffer the value that `fill` of the fixture script gives it.
func fill(_ module: some Module) {
    for (place, (name, tensor)) in module.state.enumerated() {
        let shape = tensor.shape
        if name.hasSuffix("num_batches_tracked") {
            tensor.zero()
        } else if name.hasSuffix("running_var") {
            tensor.copy(from: values(place, shape, scale: 0.5, shift: 1))
        } else if shape.count > 1 {
            let fan = Double(shape.dropFirst().reduce(1, *))
            tensor.copy(from: values(place, shape, scale: (6 / fan).squareRoot()))
        } else if name.hasSuffix("weight") {
            tensor.copy(from: values(place, shape, scale: 0.25, shift: 1))
        } else {
            tensor.copy(from: values(place, shape, scale: 0.25))
        }
    }
}

/// A committed file of expected values.
struct Fixture {
    let file: SafeTensorsFile

    init(_ name: String) throws {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
        file = try SafeTensorsFile(path: url.path)
    }

    /// Shape and values are those of the fixture's tensor `name`: the largest error is at most
    /// `tolerance` of the largest expected value.
    func expect(
        _ tensor: Tensor?, is name: String, tolerance: Double = 1e-6,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let tensor = try #require(tensor, "\(name) is missing", sourceLocation: sourceLocation)
        let entry = try file.entry(name)
        #expect(tensor.shape == entry.shape, "shape of \(name)", sourceLocation: sourceLocation)
        let isInteger = entry.dtype == .i64
        let expected =
            isInteger ? try file.ints(of: name).map(Double.init) : try file.doubles(of: name)
        #expect(
            error(tensor.doubles(), expected) <= tolerance, "values of \(name)",
            sourceLocation: sourceLocation)
    }
}

/// The largest difference over the largest expected magnitude; infinite for unequal counts or
/// not-a-number.
func error(_ found: [Double], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    let scale = max(expected.map(abs).max() ?? 0, 1e-30)
    let worst = zip(found, expected).map { abs($0 - $1) }.reduce(0) { $1 <= $0 ? $0 : $1 }
    return worst.isNaN ? .infinity : worst / scale
}
