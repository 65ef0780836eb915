import Diagnostics

/// Labelled samples in memory, in one shape for every source: images as bytes, a numeric table, or
/// texts.
///
/// Invariants, checked by every initialiser: all per-sample lists have the same, positive length;
/// every label is in `0..<classCount`; a table's values are finite. The given labels may be wrong:
/// that is what Limbeck is for. `clean` holds the true ones where they are known, and is never
/// used for training.
public struct Dataset: Sendable {
    /// What a sample looks like.
    public enum Features: Sendable, Equatable {
        /// One byte per value, samples × channels × height × width (NCHW order).
        case images(bytes: [UInt8], channels: Int, height: Int, width: Int)
        /// Row-major float32, one row per sample.
        case table([Float], columns: [String])
        /// One text per sample, and the name of the column it came from.
        case text(TextList, column: String)
    }

    public let name: String
    public let features: Features
    /// The given labels, `0..<classCount`.
    public let labels: [Int]
    /// The true labels, where the source tells them.
    public let clean: [Int]?
    /// Super-classes, where the source has them (CIFAR-100).
    public let coarse: [Int]?
    /// Samples with the same group (a patient, a user, a scene) stay on one side of a split.
    public let groups: [Int]?
    /// One name per class.
    public let classNames: [String]
    /// What the user calls each sample, where the source says: carried into outputs, never learnt from.
    public let ids: [String]?
    /// How the table was read, where the source is one.
    public let layout: TableLayout?
    /// Which samples the source sets apart for validation, where it does.
    public let ownValidation: [Bool]?

    public var classCount: Int { classNames.count }
    public var count: Int { labels.count }

    /// `[C, H, W]` for images, `[D]` for a table, `[1, L]` for texts of L characters: the number of
    /// extents tells the kinds apart.
    public var sampleShape: [Int] {
        switch features {
        case .images(_, let channels, let height, let width): [channels, height, width]
        case .table(_, let columns): [columns.count]
        case .text(let texts, _): [1, texts.length]
        }
    }

    /// Values per sample.
    public var sampleSize: Int { sampleShape.reduce(1, *) }

    public var isImages: Bool { if case .images = features { true } else { false } }
    public var isText: Bool { if case .text = features { true } else { false } }

    /// Names of the columns that the features came from: all of a table's, the one of the texts,
    /// nil for images.
    public var columns: [String]? {
        switch features {
        case .images: nil
        case .table(_, let columns): columns
        case .text(_, let column): [column]
        }
    }

    /// Checks every invariant; throws a `Problem` that names the first sample that breaks one.
    public init(
        name: String, features: Features, labels: [Int], clean: [Int]? = nil,
        coarse: [Int]? = nil, groups: [Int]? = nil, classNames: [String], ids: [String]? = nil,
        layout: TableLayout? = nil, ownValidation: [Bool]? = nil
    ) throws(Problem) {
        self.name = name
        self.ownValidation = ownValidation
        self.ids = ids
        self.layout = layout
        self.features = features
        self.labels = labels
        self.clean = clean
        self.coarse = coarse
        self.groups = groups
        self.classNames = classNames
        guard !labels.isEmpty else { throw .noSamples(name) }
        guard !classNames.isEmpty else { throw .noClasses(name) }
        try checkFeatures()
        for (what, list) in [
            ("clean labels", clean?.count), ("coarse labels", coarse?.count),
            ("groups", groups?.count), ("identifiers", ids?.count),
            ("marks of validation samples", ownValidation?.count),
        ] {
            if let list, list != labels.count {
                throw .countMismatch(name, what, found: list, expected: labels.count)
            }
        }
        try Dataset.check(labels, in: name, classCount: classNames.count, "label")
        if let clean {
            try Dataset.check(clean, in: name, classCount: classNames.count, "clean label")
        }
    }

    private func checkFeatures() throws(Problem) {
        let values: Int
        switch features {
        case .text(let texts, _):
            guard texts.count == labels.count else {
                throw .countMismatch(name, "texts", found: texts.count, expected: labels.count)
            }
            return
        case .images(let bytes, let channels, let height, let width):
            guard channels > 0, height > 0, width > 0 else { throw .emptyShape(name, sampleShape) }
            values = bytes.count
        case .table(let cells, let columns):
            guard !columns.isEmpty else { throw .emptyShape(name, sampleShape) }
            values = cells.count
            if let bad = cells.firstIndex(where: { !$0.isFinite }) {
                throw .notFinite(
                    name, sample: bad / columns.count, column: columns[bad % columns.count],
                    value: cells[bad])
            }
        }
        guard let size = checkedProduct(sampleShape),
            let expected = checkedProduct([labels.count, size]), values == expected
        else {
            throw .countMismatch(
                name, "feature values", found: values,
                expected: checkedProduct(sampleShape + [labels.count]) ?? Int.max)
        }
    }

    /// Throws for the first label outside `0..<classCount`.
    static func check(
        _ labels: [Int], in place: String, classCount: Int, _ what: String
    ) throws(Problem) {
        if let sample = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
            throw .labelOutOfRange(
                place, what, sample: sample, label: labels[sample], classCount: classCount)
        }
    }

    /// The same samples with other given labels, for example noisy ones. `clean` keeps what is
    /// known; where nothing was, the labels replaced here become the clean ones if
    /// `keepingReplacedAsClean`.
    public func relabelled(
        _ labels: [Int], keepingReplacedAsClean: Bool = true
    ) throws(Problem) -> Dataset {
        guard labels.count == count else {
            throw .countMismatch(name, "labels", found: labels.count, expected: count)
        }
        return try Dataset(
            name: name, features: features, labels: labels,
            clean: clean ?? (keepingReplacedAsClean ? self.labels : nil), coarse: coarse,
            groups: groups, classNames: classNames, ids: ids, layout: layout,
            ownValidation: ownValidation)
    }

    /// The samples at `indices`, in that order. An index outside `0..<count`, or no index at all,
    /// is a mistake of the programmer and traps.
    public func subset(_ indices: [Int]) -> Dataset {
        precondition(!indices.isEmpty, "a data set has at least one sample")
        let size = sampleSize
        func rows<T>(_ values: [T]) -> [T] {
            var out: [T] = []
            out.reserveCapacity(indices.count * size)
            for i in indices { out += values[i * size..<(i + 1) * size] }
            return out
        }
        let chosen: Features =
            switch features {
            case .images(let bytes, let channels, let height, let width):
                .images(bytes: rows(bytes), channels: channels, height: height, width: width)
            case .table(let cells, let columns): .table(rows(cells), columns: columns)
            case .text(let texts, let column): .text(texts.subset(indices), column: column)
            }
        return try! Dataset(  // every invariant is inherited
            name: name, features: chosen, labels: indices.map { labels[$0] },
            clean: clean.map { list in indices.map { list[$0] } },
            coarse: coarse.map { list in indices.map { list[$0] } },
            groups: groups.map { list in indices.map { list[$0] } }, classNames: classNames,
            ids: ids.map { list in indices.map { list[$0] } }, layout: layout,
            ownValidation: ownValidation.map { list in indices.map { list[$0] } })
    }

    /// A table of pixels as images: columns in channels × height × width order, every value a
    /// whole number in 0...255. Throws for the first value that is not.
    public func asImages(channels: Int, height: Int, width: Int) throws(Problem) -> Dataset {
        guard case .table(let cells, let columns) = features else { return self }
        guard channels > 0, height > 0, width > 0,
            checkedProduct([channels, height, width]) == columns.count
        else {
            throw .imageShape(name, [channels, height, width], columns: columns.count)
        }
        if let bad = cells.firstIndex(where: { $0 < 0 || $0 > 255 || $0 != $0.rounded() }) {
            throw .notAPixel(
                name, sample: bad / columns.count, column: columns[bad % columns.count],
                value: cells[bad])
        }
        return try Dataset(
            name: name,
            features: .images(
                bytes: cells.map { UInt8($0) }, channels: channels, height: height, width: width),
            labels: labels, clean: clean, coarse: coarse, groups: groups, classNames: classNames,
            ids: ids, layout: layout, ownValidation: ownValidation)
    }

    /// How many samples carry each given label.
    public var classCounts: [Int] {
        var counts = [Int](repeating: 0, count: classCount)
        for label in labels { counts[label] += 1 }
        return counts
    }
}

/// The product of non-negative extents, or nil where it does not fit an `Int`.
func checkedProduct(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents {
        let (value, overflow) = product.multipliedReportingOverflow(by: extent)
        if overflow || extent < 0 { return nil }
        product = value
    }
    return product
}
