import Torch

/// Two tensors that should be equal are not.
public struct NotClose: Error, CustomStringConvertible {
    public let description: String
}

/// The measure of all comparisons with references: max |a − b| / max(1, |b|) over the elements.
/// It is the relative error where the reference is large and the absolute error near 0. Two
/// not-a-numbers, and equal infinities, differ by 0.
public func largestError(_ values: [Double], _ reference: [Double]) -> (error: Double, index: Int) {
    var worst = (error: 0.0, index: 0)
    for (i, (a, b)) in zip(values, reference).enumerated() {
        if a == b || a.isNaN && b.isNaN { continue }
        let error = abs(a - b) / max(1, abs(b))
        if !(error <= worst.error) { worst = (error.isNaN ? .infinity : error, i) }
    }
    return worst
}

/// Throws `NotClose` unless `tensor` has the shape of `reference` and `largestError` is at most
/// `tolerance`. Compared in float64.
public func expectClose(
    _ tensor: Tensor, _ reference: Tensor, _ tolerance: Double = 1e-6, _ name: String = "tensor"
) throws {
    guard !tensor.isPoisoned, tensor.shape == reference.shape else {
        throw NotClose(
            description: tensor.isPoisoned
                ? "\(name) is poisoned"
                : "\(name): shape \(tensor.shape), expected \(reference.shape)")
    }
    try expectClose(tensor.doubles(), reference.doubles(), tolerance, name)
}

public func expectClose(
    _ values: [Double], _ reference: [Double], _ tolerance: Double = 1e-6, _ name: String = "values"
) throws {
    guard values.count == reference.count else {
        throw NotClose(description: "\(name): \(values.count) values, expected \(reference.count)")
    }
    let (error, index) = largestError(values, reference)
    guard error <= tolerance else {
        throw NotClose(
            description: "\(name)[\(index)]: \(values[index]), expected \(reference[index]) "
                + "(error \(error), allowed \(tolerance))")
    }
}
