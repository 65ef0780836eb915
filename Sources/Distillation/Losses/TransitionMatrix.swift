import Diagnostics
import Torch

/// How labels go wrong: T[a][b] is the probability that a sample of class a is given label b.
///
/// Rows sum to 1. Nothing else is asked of T: a singular one can correct a loss forwards, where T is
/// multiplied with, and not backwards, where it is inverted.
public struct TransitionMatrix: Equatable, Sendable {
    /// T, a row for each class.
    public let rows: [[Double]]
    /// T⁻¹; nil where elimination finds no pivot. Its rows sum to 1 as well.
    public let inverse: [[Double]]?

    /// Up to so many classes a matrix is read: above that it alone takes 128 MiB.
    static let limit = 4096

    /// - Parameter path: the key that messages name.
    /// - Throws: if `rows` is not square, an entry is no probability, or a row does not sum to 1.
    public init(_ rows: [[Double]], at path: String = "transition") throws(Problem) {
        guard (2...TransitionMatrix.limit).contains(rows.count) else {
            throw .outOfRange(
                path, found: "\(rows.count) rows", expected: "one per class, at least 2")
        }
        for (a, row) in rows.enumerated() {
            guard row.count == rows.count else {
                throw .outOfRange(
                    "\(path).\(a)", found: "\(row.count) numbers",
                    expected: "\(rows.count), as there are \(rows.count) rows")
            }
            if let b = row.firstIndex(where: { !(0...1).contains($0) }) {
                throw .outOfRange("\(path).\(a).\(b)", found: "\(row[b])", expected: "0 to 1")
            }
            let sum = row.reduce(0, +)
            guard abs(sum - 1) <= 1e-6 else { throw .transitionRow("\(path).\(a)", sum: sum) }
        }
        self.rows = rows
        inverse = TransitionMatrix.inverse(of: rows)
    }

    public var classes: Int { rows.count }

    /// A label that no class is ever given: a sample that has it all the same would have an infinite loss.
    var emptyColumn: Int? { rows.indices.first { b in rows.allSatisfy { $0[b] == 0 } } }

    /// σ_max/σ_min, by how much an error in a loss may grow when T is inverted; infinite if T is singular.
    public var condition: Double {
        let values = TransitionMatrix.singularValues(of: rows)
        let smallest = values.min() ?? 0
        guard inverse != nil, smallest > 0 else { return .infinity }
        return (values.max() ?? 0) / smallest
    }

    /// Mean and largest difference of the entries, but for those that are not finite in `other`.
    public func difference(from other: [[Double]]) -> (mean: Double, largest: Double)? {
        TransitionMatrix.difference(of: rows, from: other)
    }

    /// The same of two tables.
    public static func difference(
        of rows: [[Double]], from other: [[Double]]
    ) -> (mean: Double, largest: Double)? {
        let all = zip(rows, other).flatMap { zip($0, $1).map { abs($0 - $1) } }
            .filter(\.isFinite)
        return all.max().map { (all.reduce(0, +) / Double(all.count), $0) }
    }

    /// T [C, C], with the dtype and device of `other`.
    func tensor(like other: Tensor) -> Tensor { TransitionMatrix.tensor(rows, like: other) }

    /// T⁻¹ [C, C]. Traps for a matrix that has none.
    func inverseTensor(like other: Tensor) -> Tensor {
        guard let inverse else { preconditionFailure("a transition matrix without an inverse") }
        return TransitionMatrix.tensor(inverse, like: other)
    }

    private static func tensor(_ rows: [[Double]], like other: Tensor) -> Tensor {
        Tensor(rows.flatMap(\.self), [rows.count, rows.count]).to(other.dtype).to(other.device)
    }

    /// Gauss–Jordan elimination with the largest pivot of each column.
    private static func inverse(of rows: [[Double]]) -> [[Double]]? {
        let n = rows.count
        var work = rows.enumerated().map { a, row in
            row + (0..<n).map { $0 == a ? 1 : 0 }
        }
        for column in 0..<n {
            let pivot = (column..<n).max {
                abs(work[$0][column]) < abs(work[$1][column])
            }!
            guard abs(work[pivot][column]) > 1e-13 else { return nil }
            work.swapAt(column, pivot)
            let factor = 1 / work[column][column]
            for k in column..<2 * n { work[column][k] *= factor }
            let own = work[column]
            for row in 0..<n where row != column && work[row][column] != 0 {
                let share = work[row][column]
                for k in column..<2 * n { work[row][k] -= share * own[k] }
            }
        }
        return work.map { Array($0[n...]) }
    }

    /// One-sided Jacobi rotations: pairs of columns are turned until all are orthogonal; their lengths
    /// then are the singular values.
    private static func singularValues(of rows: [[Double]]) -> [Double] {
        var columns = rows.indices.map { b in rows.map { $0[b] } }
        func product(_ i: Int, _ j: Int) -> Double {
            zip(columns[i], columns[j]).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for _ in 0..<60 {
            var turned = false
            for i in columns.indices {
                for j in (i + 1)..<max(i + 1, columns.count) {
                    let (a, b, c) = (product(i, i), product(j, j), product(i, j))
                    guard abs(c) > 1e-14 * (a * b).squareRoot() else { continue }
                    turned = true
                    let zeta = (b - a) / (2 * c)
                    let tangent = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                    let cosine = 1 / (1 + tangent * tangent).squareRoot()
                    let sine = cosine * tangent
                    for k in columns[i].indices {
                        let (x, y) = (columns[i][k], columns[j][k])
                        columns[i][k] = cosine * x - sine * y
                        columns[j][k] = sine * x + cosine * y
                    }
                }
            }
            if !turned { break }
        }
        return columns.indices.map { product($0, $0).squareRoot() }
    }
}

extension Problem {
    fileprivate static func transitionRow(_ path: String, sum: Double) -> Problem {
        Problem(
            .data, "row does not add up", at: Place(detail: [path]), found: "\(sum)",
            expected: "1 within 1e-6", hint: "row = true class, column = given label")
    }
}
