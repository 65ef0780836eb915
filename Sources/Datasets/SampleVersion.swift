import Diagnostics
import Randomness

/// A change of a sample that leaves its label what it is: one of several that a batch holds of each sample, for
/// methods that want a network to say the same of all of them.
///
/// Every draw follows from (seed, epoch, number of the version, index of the sample in the data set).
public enum SampleVersion: Equatable, Sendable {
    /// As it is.
    case plain
    /// As an augmentation of the recipe changes it.
    case augmented(Augmentation)
    /// Images: the stronger changes of learning without labels.
    case view(Views)
    /// Tables: normal noise on every feature, `std` in units of the normalised feature, which has standard
    /// deviation 1; and every feature is replaced by 0, which is its mean, with probability `drop`.
    case noisy(std: Double, drop: Double)
    /// Texts: every word is left out with probability `drop`, but never the last one that is left. Words stand
    /// between blanks, and one space stands between those that stay. A script without blanks has one word.
    case shortened(drop: Double)

    /// - Throws: if such samples have no such version, or a number is out of its range.
    public func check(sampleShape: [Int], name: String) throws(Problem) {
        let dimensions: Int
        switch self {
        case .plain: return
        case .augmented(let augmentation):
            return try augmentation.check(sampleShape: sampleShape, name: name)
        case .view(let views): return try views.check(sampleShape: sampleShape, name: name)
        case .noisy(let std, let drop):
            guard std >= 0, std.isFinite else {
                throw .viewRange("noise", found: "\(std)", expected: "0 or more")
            }
            try Self.checkDrop(drop)
            dimensions = 1
        case .shortened(let drop):
            try Self.checkDrop(drop)
            dimensions = 2
        }
        guard sampleShape.count == dimensions else {
            throw .versionOfOthers(name, isOfTexts: dimensions == 2)
        }
    }

    private static func checkDrop(_ drop: Double) throws(Problem) {
        guard (0..<1).contains(drop) else {
            throw .viewRange("drop", found: "\(drop)", expected: "0 to below 1")
        }
    }

    /// Changes the normalised features of a row of a table in place.
    static func disturb(
        _ row: UnsafeMutableBufferPointer<Float>, std: Double, drop: Double, _ draw: inout Draw
    ) {
        for i in row.indices {
            // Both are always drawn, so that one option does not move the draws of the other.
            let noise = draw.normal()
            let isDropped = draw.uniform() < drop
            row[i] = isDropped ? 0 : row[i] + Float(std * noise)
        }
    }

    /// Leaves out words of a text, code points with 0 behind them, in place.
    static func shorten(
        _ text: UnsafeMutableBufferPointer<Float>, drop: Double, _ draw: inout Draw
    ) {
        var words: [Range<Int>] = []
        var start: Int?
        for i in text.indices {
            if isBlank(text[i]) {
                if let begin = start { words.append(begin..<i) }
                start = nil
            } else if start == nil {
                start = i
            }
        }
        if let begin = start { words.append(begin..<text.count) }
        guard !words.isEmpty else { return }
        let last = draw.below(words.count)
        var kept = words.filter { _ in draw.uniform() >= drop }
        if kept.isEmpty { kept = [words[last]] }
        guard kept.count < words.count else { return }
        // What is kept never moves to the right: it cannot be written over before it is read.
        var place = 0
        for word in kept {
            if place > 0 {
                text[place] = 0x20
                place += 1
            }
            for i in word {
                text[place] = text[i]
                place += 1
            }
        }
        for i in place..<text.count { text[i] = 0 }
    }

    /// Blanks of Latin scripts and the ideographic space; also the 0 behind a text.
    private static func isBlank(_ code: Float) -> Bool {
        code <= 0x20 || code == 0xa0 || code == 0x3000 || (0x2000...0x200b).contains(code)
    }
}

extension BatchPlan {
    /// All versions of the samples: N first versions, then N second ones, …
    func batch(of versions: [SampleVersion], _ indices: [Int], epoch: Int, step: Int) -> Batch {
        let size = dataset.sampleSize
        let count = versions.count * indices.count
        let features = [Float](unsafeUninitializedCapacity: count * size) { buffer, filled in
            filled = count * size
            for (number, version) in versions.enumerated() {
                let start = buffer.baseAddress! + number * indices.count * size
                write(indices, version, number: number, epoch: epoch, to: start)
            }
        }
        return Batch(
            epoch: epoch, step: step, indices: indices, features: features,
            shape: writer.shape(count: count))
    }

    private func write(
        _ indices: [Int], _ version: SampleVersion, number: Int, epoch: Int,
        to out: UnsafeMutablePointer<Float>
    ) {
        switch version {
        case .plain: write(indices, augmentation: .none, epoch: epoch, view: number, to: out)
        case .augmented(let own):
            write(indices, augmentation: own, epoch: epoch, view: number, to: out)
        case .view(let views):
            write(indices, views, number: number, epoch: epoch, to: out)
        case .noisy, .shortened:
            write(indices, augmentation: .none, epoch: epoch, view: number, to: out)
            disturb(indices, version, number: number, epoch: epoch, out)
        }
    }

    /// Changes rows of tables or texts where they stand.
    func disturb(
        _ indices: [Int], _ version: SampleVersion, number: Int, epoch: Int,
        _ out: UnsafeMutablePointer<Float>
    ) {
        forEachRow(indices, number: number, epoch: epoch, out) { row, draw in
            switch version {
            case .noisy(let std, let drop):
                SampleVersion.disturb(row, std: std, drop: drop, &draw)
            case .shortened(let drop): SampleVersion.shorten(row, drop: drop, &draw)
            case .plain, .augmented, .view: preconditionFailure("changed as it is written")
            }
        }
    }

    private func write(
        _ indices: [Int], _ views: Views, number: Int, epoch: Int,
        to out: UnsafeMutablePointer<Float>
    ) {
        guard case .images(let bytes, _, let height, let width) = dataset.features else {
            preconditionFailure("views of samples that are no images")
        }
        let size = dataset.sampleSize
        var view = ViewWriter(dataset.sampleShape)
        bytes.withUnsafeBufferPointer { bytes in
            for (row, sample) in indices.enumerated() {
                let change = views.change(
                    seed: seed, epoch: epoch, sample: sample, view: number, height: height,
                    width: width)
                view.apply(change, to: bytes.baseAddress! + sample * size)
                view.write(
                    to: out + row * size, mean: normalisation.mean, std: normalisation.std,
                    channelsLast: layout == .channelsLast)
            }
        }
    }

    private func forEachRow(
        _ indices: [Int], number: Int, epoch: Int, _ out: UnsafeMutablePointer<Float>,
        _ body: (UnsafeMutableBufferPointer<Float>, inout Draw) -> Void
    ) {
        let size = dataset.sampleSize
        for (row, sample) in indices.enumerated() {
            var draw = Draw(
                seed: seed, .augmentation, epoch: epoch, step: number, sample: sample)
            body(UnsafeMutableBufferPointer(start: out + row * size, count: size), &draw)
        }
    }
}
