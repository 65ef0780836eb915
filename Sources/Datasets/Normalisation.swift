import Diagnostics

/// Shift and scale of features, fitted on the training split only: `(x − mean) / std`, one
/// pair per image channel or table column.
///
/// Images enter as `byte / 255`, so that means and stds are in 0...1. The std is the
/// population standard deviation (divisor n), in double precision; a channel or column that never
/// varies gets std 1. The result does not depend on the order of the members.
public struct Normalisation: Codable, Equatable, Sendable {
    /// One per channel or column.
    public var mean: [Float]
    /// Standard deviation, one per channel or column, positive.
    public var std: [Float]

    /// Throws unless there are as many means as stds, all finite, stds positive and so
    /// large that zero stays finite when it is normalised.
    public init(mean: [Float], std: [Float]) throws(Problem) {
        guard !mean.isEmpty, mean.count == std.count,
            mean.allSatisfy(\.isFinite), std.allSatisfy({ $0.isNormal && $0 > 0 }),
            zip(mean, std).allSatisfy({ ($0 / $1).isFinite })
        else { throw .normalisation(mean, std) }
        self.mean = mean
        self.std = std
    }

    private init(unchecked mean: [Float], _ std: [Float]) {
        self.mean = mean
        self.std = std
    }

    private enum EarlierKeys: String, CodingKey { case deviation }

    /// Weights files of earlier versions say `deviation` instead of `std`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let earlier = try decoder.container(keyedBy: EarlierKeys.self)
        try self.init(
            mean: try fields.decode([Float].self, forKey: .mean),
            std: try earlier.decodeIfPresent([Float].self, forKey: .deviation)
                ?? fields.decode([Float].self, forKey: .std))
    }

    /// Fits on the samples `members` of `data`.
    public static func fit(_ data: Dataset, members: [Int]) throws(Problem) -> Normalisation {
        guard !members.isEmpty else { throw .noMembers(data.name) }
        switch data.features {
        case .images(let bytes, let channels, let height, let width):
            return images(bytes, channels, height * width, members)
        case .table(let cells, let columns):
            return table(cells, columns.count, members.sorted())
        case .text: return none(for: data)
        }
    }

    /// Leaves tables as they are and maps bytes to 0...1. The only one for texts.
    public static func none(for data: Dataset) -> Normalisation {
        let count = data.sampleShape[0]
        return Normalisation(
            unchecked: [Float](repeating: 0, count: count), [Float](repeating: 1, count: count))
    }

    /// Exact: whole-number histograms of the 256 values, per channel.
    private static func images(
        _ bytes: [UInt8], _ channels: Int, _ plane: Int, _ members: [Int]
    ) -> Normalisation {
        var counts = [Int](repeating: 0, count: channels * 256)
        bytes.withUnsafeBufferPointer { bytes in
            counts.withUnsafeMutableBufferPointer { counts in
                for member in members {
                    for channel in 0..<channels {
                        let start = (member * channels + channel) * plane
                        for i in start..<start + plane { counts[channel << 8 | Int(bytes[i])] += 1 }
                    }
                }
            }
        }
        let n = Double(members.count * plane)
        var mean: [Float] = []
        var std: [Float] = []
        for channel in 0..<channels {
            let histogram = counts[channel << 8..<(channel + 1) << 8]
            let average = zip(0..., histogram).reduce(0) { $0 + Double($1.0 * $1.1) } / n
            let variance =
                zip(0..., histogram).reduce(0) {
                    $0 + Double($1.1) * (Double($1.0) - average) * (Double($1.0) - average)
                } / n
            mean.append(Float(average / 255))
            std.append(usable(variance.squareRoot() / 255))
        }
        return Normalisation(unchecked: mean, std)
    }

    /// Two passes per column; `members` sorted, so that rounding does not depend on their order.
    private static func table(_ cells: [Float], _ width: Int, _ members: [Int]) -> Normalisation {
        let n = Double(members.count)
        var mean = [Double](repeating: 0, count: width)
        var variance = mean
        for row in members {
            for column in 0..<width { mean[column] += Double(cells[row * width + column]) }
        }
        for column in 0..<width { mean[column] /= n }
        for row in members {
            for column in 0..<width {
                let d = Double(cells[row * width + column]) - mean[column]
                variance[column] += d * d
            }
        }
        // A constant column gives exactly 0: sums of up to 2²⁹ equal float32 are exact in a double.
        return Normalisation(
            unchecked: mean.map { Float($0) }, variance.map { usable(($0 / n).squareRoot()) })
    }

    private static func usable(_ std: Double) -> Float {
        let value = Float(std)
        return value > 0 && value.isNormal ? value : 1
    }
}
