import Torch

/// What a relation loss compares: the same batch in the student and in the encoder that learnt
/// without labels. All float32 or float64, whatever autocast made of the features.
public struct RelationInput {
    /// f_S [N, D_S]: the student's penultimate features, with history.
    public let student: Tensor
    /// φ(f_S) [N, D_R]: where a loss needs both sides in one space. `student` itself where D_S = D_R.
    public let projected: Tensor
    /// f_R [N, D_R], without history.
    public let encoder: Tensor
    /// The student's logits, with history.
    public let logits: Logits

    /// - Parameter projection: φ; nil where the dimensions are equal.
    public init(
        _ output: StudentOutput, encoder: Tensor, projection: ((Tensor) -> Tensor)? = nil
    ) {
        student = output.features.inLossPrecision
        projected = projection.map { $0(output.features.inLossPrecision) } ?? student
        self.encoder = encoder.detached().inLossPrecision
        logits = output.logits
    }

    private init(student: Tensor, projected: Tensor, encoder: Tensor, logits: Logits) {
        self.student = student
        self.projected = projected
        self.encoder = encoder
        self.logits = logits
    }

    /// f_S, φ(f_S) and f_R without their means over the batch, each its own.
    ///
    /// Features behind a ReLU all point into one corner: their cosines are high whatever the samples, and
    /// their differences small. Around its mean a batch spreads over all directions.
    public var centred: RelationInput {
        RelationInput(
            student: student.centredRows(), projected: projected.centredRows(),
            encoder: encoder.centredRows(), logits: logits)
    }
}

extension Tensor {
    /// float32 unless float64, with its history.
    package var inLossPrecision: Tensor { dtype == .float64 ? self : to(.float32) }

    /// Rows divided by their Euclidean length, or by 10⁻¹² where they are shorter: rows of zeros
    /// stay zeros.
    public func normalisedRows() -> Tensor {
        self / norm(-1, keep: true).clamped(1e-12, nil)
    }

    /// [N, D] without its mean over the rows, with its history. A row that the mean equals up to rounding becomes
    /// zeros: its direction would be that of the rounding.
    func centredRows() -> Tensor {
        let centred = self - mean(0)
        let isRounding = withoutGradient {
            centred.norm(-1, keep: true).less(norm(-1, keep: true) * 1e-5)
        }
        return centred * isRounding.equal(0).to(dtype)
    }

    /// Cosines between the rows of two sets: [N, D], [M, D] → [N, M].
    public func cosines(with other: Tensor) -> Tensor {
        normalisedRows().matmul(other.normalisedRows().transposed())
    }

    /// Euclidean distances between all rows: [N, D] → [N, N]. Rows that coincide are 10⁻⁶ apart and
    /// get no gradient, the diagonal is 0.
    func distances() -> Tensor {
        let squares = squared().sum(-1)  // [N]
        let products = matmul(transposed())
        let squared = squares.unsqueezed(0) + squares.unsqueezed(1) - products * 2
        return squared.clamped(1e-12, nil).sqrt().filled(
            where: Tensor.diagonal(like: self), with: 0)
    }

    /// Cosines of the angles at j between the rows i and k: [N, D] → [N, N, N], out[j][i][k]; 0 where
    /// i or k is j.
    func angles() -> Tensor {
        // [N, N, D]: from j to i.
        let edges = unsqueezed(0) - unsqueezed(1)
        let directions = edges / edges.norm(-1, keep: true).clamped(1e-12, nil)
        return directions.matmul(directions.transposed())
    }

    /// Huber's loss with threshold 1, as PyTorch's `smooth_l1_loss`: x²/2 below 1, |x| − ½ from there.
    func smoothL1() -> Tensor {
        Tensor.where(abs().less(1), squared() * 0.5, abs() - 0.5)
    }

    /// True on the diagonal of an N × N matrix, for `rows` [N, …].
    static func diagonal(like rows: Tensor) -> Tensor {
        let n = rows.shape[0]
        return Tensor.arange(n).oneHot(n).equal(1).to(rows.device)
    }
}

/// So small that a softmax gives it nothing, and finite, so that differences with it are numbers.
let excluded = -1e30
