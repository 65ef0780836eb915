import Diagnostics
import Randomness
import Torch

/// A teacher that is wrong on purpose, for experiments: on every sample of some of the classes its
/// logits are permuted, z'_c = z_π(c), with one permutation π for all of them.
///
/// So does the toy run behind the method's checks, except that it takes a random share of the *samples*
/// and any permutation; here whole classes are corrupted, by their true labels, and π moves every
/// class (a single cycle), so that the arg max of a corrupted output is never the teacher's own.
public struct TeacherCorruption: Equatable, Sendable {
    /// `classes` booleans: whose samples get permuted outputs.
    public let isCorrupted: [Bool]
    /// π: output c of a corrupted sample is the teacher's output π(c).
    public let permutation: [Int]

    /// - Parameters:
    ///   - share: of the classes, 0 to 1, rounded to the nearest number of them.
    ///   - classes: C, at least 2.
    public init(share: Double, classes: Int, seed: UInt64) throws(Problem) {
        guard (0...1).contains(share) else {
            throw .outOfRange(
                "method.teacher.corrupt.share", found: "\(share)", expected: "0 to 1")
        }
        // Sample 1 and the tag of peers: a stream of its own beside the networks'.
        var draw = Draw(seed: seed, .peers, step: 1, sample: 1)
        var order = Array(0..<classes)
        order.shuffle(using: &draw)
        var corrupted = [Bool](repeating: false, count: classes)
        let count = Int((share * Double(classes)).rounded())
        for label in order.prefix(count) { corrupted[label] = true }
        self.init(isCorrupted: corrupted, permutation: Self.cycle(classes, &draw))
    }

    init(isCorrupted: [Bool], permutation: [Int]) {
        self.isCorrupted = isCorrupted
        self.permutation = permutation
    }

    /// A uniformly drawn permutation of one cycle (Sattolo 1986).
    private static func cycle(_ count: Int, _ draw: inout Draw) -> [Int] {
        var values = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) {
            values.swapAt(place, draw.below(place))
        }
        return values
    }

    /// Teacher logits [N, C] with those of corrupted samples permuted.
    ///
    /// - Parameter labels: the true class of each row [N], int64; the given one where no true one
    ///   is known.
    public func applied(to logits: Logits, labels: Tensor) -> Logits {
        let device = logits.tensor.device
        let permuted = logits.tensor.indexed(
            1, by: Tensor(permutation, [permutation.count]).to(device))
        let marks = Tensor(isCorrupted.map { $0 ? 1 : 0 }, [isCorrupted.count]).to(device)
        let chosen = marks.indexed(0, by: labels).equal(1).unsqueezed(1)  // [N, 1]
        return Logits(.where(chosen, permuted, logits.tensor))
    }
}

/// A teacher whose opinion is random on a share of the samples: there its logits are permuted, each
/// sample by a permutation of its own, drawn once. With share 1 nothing it says has to do with the
/// sample, and it is as sure of itself as before; an untrained network, by contrast, says nearly the
/// same of every class.
public struct RandomOpinions {
    /// [rows, C] int64: output c at a row is the teacher's output of that number.
    private let permutations: Tensor

    /// - Parameters:
    ///   - share: of the rows, 0 to 1, rounded to the nearest number of them.
    ///   - rows: of the training split.
    public init(
        share: Double, rows: Int, classes: Int, seed: UInt64, device: Device = .cpu
    ) throws(Problem) {
        guard (0...1).contains(share) else {
            throw .outOfRange(
                "method.teacher.corrupt.share", found: "\(share)", expected: "0 to 1")
        }
        var draw = Draw(seed: seed, .peers, step: 2, sample: 1)
        var order = Array(0..<rows)
        order.shuffle(using: &draw)
        var table = (0..<rows).flatMap { _ in 0..<classes }
        for row in order.prefix(Int((share * Double(rows)).rounded())) {
            table[(row * classes)..<((row + 1) * classes)].shuffle(using: &draw)
        }
        permutations = Tensor(table, [rows, classes]).to(device)
    }

    /// Teacher logits [N, C] of the samples at `rows` [N], int64.
    public func applied(to logits: Logits, rows: Tensor) -> Logits {
        Logits(logits.tensor.gathered(1, permutations.indexed(0, by: rows)))
    }
}
