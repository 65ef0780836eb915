import Diagnostics

extension LabelNoise {
    /// The transition matrix asked for, `[C][C]`, rows sum to 1; nil for the kinds that depend on
    /// more than the class (`instance`, `instance-shared`, `file`).
    ///
    /// For the exact-count kinds it is the expectation over the choice of samples, and for
    /// `asymmetric-elr-inplace` over the whole class-by-class procedure.
    /// The recipe must have passed `validate`, whose problems it repeats only in part.
    public func intendedTransition(
        classCount: Int, classNames: [String]? = nil
    ) throws(Problem) -> [[Double]]? {
        let c = classCount
        let r = rate ?? 0
        switch kind {
        case .clean:
            return Self.identity(c)
        case .symmetric:
            return Self.rows(c) { a, b in a == b ? 1 - r : r / Double(c - 1) }
        case .symmetricInclusive:
            return Self.rows(c) { a, b in (a == b ? 1 - r : 0) + r / Double(c) }
        case .pairflip:
            return Self.rows(c) { a, b in a == b ? 1 - r : b == (a + 1) % c ? r : 0 }
        case .asymmetric, .asymmetricGlobal:
            let targets = try self.targets(classCount: c, classNames: classNames)
            return Self.rows(c) { a, b in
                if targets[a] == a { return a == b ? 1 : 0 }
                return a == b ? 1 - r : b == targets[a] ? r : 0
            }
        case .asymmetricInPlace:
            let targets = try self.targets(classCount: c, classNames: classNames)
            var matrix = Self.identity(c)
            for from in 0..<c where targets[from] != from {
                for a in 0..<c {
                    let moved = r * matrix[a][from]
                    matrix[a][from] -= moved
                    matrix[a][targets[from]] += moved
                }
            }
            return matrix
        case .matrix:
            return matrix.map(Self.renormalised)
        case .humanCIFAR10NWorst:
            return Self.renormalised(Self.cifar10NWorst)
        case .instance, .instanceShared, .file:
            return nil
        }
    }

    /// The target of each class under this recipe's map, or the default map for 100 classes.
    func targets(classCount: Int, classNames: [String]?) throws(Problem) -> [Int] {
        guard let map = map ?? (classCount == 100 ? .cifar100Superclass : nil) else {
            throw .missingNoiseMap(kind)
        }
        return try map.targets(classCount: classCount, classNames: classNames)
    }

    static func identity(_ c: Int) -> [[Double]] { rows(c) { a, b in a == b ? 1 : 0 } }

    private static func rows(_ c: Int, _ entry: (Int, Int) -> Double) -> [[Double]] {
        (0..<c).map { a in (0..<c).map { b in entry(a, b) } }
    }

    private static func renormalised(_ matrix: [[Double]]) -> [[Double]] {
        matrix.map { row in
            let sum = row.reduce(0, +)
            return row.map { $0 / sum }
        }
    }

    /// Realised transition of CIFAR-10N "worst", airplane…truck, rounded to .001.
    static let cifar10NWorst: [[Double]] = [
        [0.650, 0.066, 0.072, 0.019, 0.019, 0.023, 0.019, 0.017, 0.085, 0.031],
        [0.043, 0.592, 0.015, 0.026, 0.017, 0.015, 0.014, 0.014, 0.016, 0.247],
        [0.055, 0.037, 0.632, 0.046, 0.059, 0.048, 0.050, 0.033, 0.024, 0.017],
        [0.040, 0.034, 0.079, 0.487, 0.043, 0.206, 0.047, 0.024, 0.021, 0.019],
        [0.039, 0.033, 0.070, 0.040, 0.488, 0.106, 0.039, 0.152, 0.021, 0.012],
        [0.033, 0.028, 0.053, 0.183, 0.040, 0.580, 0.027, 0.029, 0.012, 0.013],
        [0.038, 0.038, 0.084, 0.076, 0.051, 0.058, 0.594, 0.029, 0.020, 0.013],
        [0.040, 0.028, 0.024, 0.022, 0.051, 0.062, 0.023, 0.722, 0.017, 0.011],
        [0.082, 0.073, 0.022, 0.014, 0.021, 0.019, 0.016, 0.022, 0.683, 0.048],
        [0.042, 0.282, 0.017, 0.021, 0.018, 0.018, 0.012, 0.014, 0.026, 0.551],
    ]
}
