import Torch

// Numbers that a fixture script computes too, so that weights and inputs need not be stored; see
// `values` and `fill` in scripts/fixtures/formula.py.

/// SplitMix64 at counters stream · 2³² + i, as numbers of 24 bits on [-1, 1), times `scale` plus
/// `shift`; float32.
public func values(
    _ stream: Int, _ shape: [Int], scale: Double = 1, shift: Double = 0
) -> Tensor {
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

/// The stream of the inputs, behind those of the weights.
public let inputStream = 1000

/// Gives every parameter and buffer of a module's state the value that `fill` of the script gives, from
/// streams that count up from `first`.
public func fill(_ state: [(name: String, tensor: Tensor)], first: Int = 0) {
    for (place, (name, tensor)) in zip(first..., state) {
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

/// The largest difference over the largest expected magnitude; infinite for unequal counts or
/// not-a-number. Unlike `largestError` it stays relative where all values are small, as gradients
/// often are.
public func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    let scale = max(expected.map(abs).max() ?? 0, 1e-30)
    var worst = 0.0
    for (a, b) in zip(found, expected) {
        let difference = abs(a - b)
        if !(difference <= worst) { worst = difference.isNaN ? .infinity : difference }
    }
    return worst / scale
}

extension FixtureFile {
    /// Throws `NotClose` unless `tensor` has the shape of the fixture's tensor `name` and their
    /// `relativeError` is at most `tolerance`.
    public func expect(_ tensor: Tensor?, is name: String, tolerance: Double = 1e-6) throws {
        let expected = try self.tensor(name)
        guard let tensor, tensor.shape == expected.shape else {
            throw NotClose(
                description: "\(name): shape \(tensor?.shape.description ?? "none"), expected "
                    + "\(expected.shape)")
        }
        let error = relativeError(tensor.doubles(), expected.doubles())
        guard error <= tolerance else {
            throw NotClose(description: "\(name): relative error \(error), allowed \(tolerance)")
        }
    }
}
