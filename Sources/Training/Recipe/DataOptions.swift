import Datasets
import Diagnostics

/// Where the samples come from and how they are split: the `data` part of a recipe.
public struct DataOptions: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// The 4,000 + 1,000 Fashion-MNIST images inside the program.
        case embedded
        /// IDX or IDX.gz files, as of MNIST and Fashion-MNIST.
        case idx
        /// The binary version of CIFAR-10 or CIFAR-100.
        case cifar10, cifar100
        /// CSV or TSV tables of numbers.
        case csv
        /// CSV or TSV tables with a column of text.
        case text
        /// Made, not read: the tasks of `Synthetic`.
        case spiral
        case gaussianClasses = "gaussian-classes"
        case colourShapes = "colour-shapes"
        /// No samples at all: for methods that make their own.
        case none
    }

    public var kind: Kind
    /// idx: a folder with the four files under their usual names; cifar: the folder of .bin files.
    public var folder: String?
    /// idx: the files one by one; the test pair may be left out.
    public var images: String?
    public var labels: String?
    public var testImages: String?
    public var testLabels: String?
    /// csv, text: the table, and optionally a second one for the test.
    public var path: String?
    public var testPath: String?
    /// csv, text: name or index of the label column; the last one if not given.
    public var label: TableOptions.Column?
    /// csv, text: a column with the true labels, where they are known; only ever used in reports.
    public var clean: TableOptions.Column?
    /// csv, text: a column whose equal values must not be torn apart by a split.
    public var group: TableOptions.Column?
    /// csv, text: a column that identifies samples: no feature, carried into every output.
    public var id: TableOptions.Column?
    /// csv: what stands before the fraction of a number; a point if not given.
    public var decimal: TableOptions.Decimal?
    /// csv: columns that are not features, by name or index.
    public var drop: [TableOptions.Column]
    /// csv, text: what separates the cells; guessed from the file's ending if not given.
    public var delimiter: TableOptions.Delimiter?
    /// csv, text: whether the first line names the columns.
    public var header: Bool
    /// csv: leave out lines that start with `@` (KEEL files).
    public var skipAt: Bool
    /// csv: channels, height, width, where the columns are pixels of images in 0…255. none: of
    /// the teacher's images; those of its file if not given.
    public var imageShape: [Int]?
    /// text: name or index of the text column; the one named `text` if not given.
    public var text: TableOptions.Column?
    /// text: characters kept of each text, in `TextList.lengths`; 1024 if not given.
    public var length: Int?
    /// text: whether cells may be in quotes; true if not given.
    public var quotes: Bool?
    /// Names of the classes, in the order of their numbers.
    public var classNames: [String]?
    /// Of the made tasks: see `Synthetic`, which has the defaults.
    public var classes: Int?
    public var samples: Int?
    public var seed: UInt64?
    /// spiral
    public var radius: Double?
    public var turn: Double?
    public var spread: Double?
    /// gaussian-classes
    public var features: Int?
    public var separation: Double?
    /// Take only this many training samples (seeded, stratified), before splitting.
    public var limit: Int?
    /// Share of the training samples held out for validation, (0, 1).
    public var validation: Double
    /// Share held out for the test, where the data brings no test set of its own, (0, 1).
    public var test: Double
    /// Keep the validation labels clean. Selection then uses information that noisy data does not
    /// have; reports say so.
    public var cleanValidation: Bool
    /// Share of the training samples held out, apart from the validation split, for methods that
    /// learn how to learn: adaptive mixing. (0, 1); nil: none.
    public var metaValidation: Double?
    /// Keep the labels of that split clean, as the paper of adaptive mixing does. A user of noisy
    /// data has no such labels unless they were checked by hand; reports say so.
    public var cleanMetaValidation: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, folder, images, labels, path, label, clean, group, drop, delimiter, header, limit
        case validation, test, text, length, quotes, id, decimal
        case classes, samples, seed, radius, turn, spread, features, separation
        case testImages = "test-images"
        case testLabels = "test-labels"
        case testPath = "test-path"
        case skipAt = "skip-at-lines"
        case imageShape = "image-shape"
        case classNames = "class-names"
        case cleanValidation = "clean-validation"
        case metaValidation = "meta-validation"
        case cleanMetaValidation = "clean-meta-validation"
    }

    public init(kind: Kind, validation: Double = 0.15, test: Double = 0.2) {
        self.kind = kind
        self.validation = validation
        self.test = test
        drop = []
        header = true
        skipAt = false
        cleanValidation = false
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(kind: try values.decode(Kind.self, forKey: .kind))
        validation = try values.decodeIfPresent(Double.self, forKey: .validation) ?? validation
        test = try values.decodeIfPresent(Double.self, forKey: .test) ?? test
        limit = try values.decodeIfPresent(Int.self, forKey: .limit)
        cleanValidation =
            try values.decodeIfPresent(Bool.self, forKey: .cleanValidation) ?? cleanValidation
        metaValidation = try values.decodeIfPresent(Double.self, forKey: .metaValidation)
        cleanMetaValidation = try values.decodeIfPresent(Bool.self, forKey: .cleanMetaValidation)
        classNames = try values.decodeIfPresent([String].self, forKey: .classNames)
        // Every key is asked for, so that a key of another kind is not called unknown but misplaced.
        func word(_ key: CodingKeys, for kinds: Kind...) throws -> String? {
            let value = try values.decodeIfPresent(String.self, forKey: key)
            if value != nil, !kinds.contains(kind) {
                throw Problem.keyOfOtherKind(key.rawValue, kind)
            }
            return value
        }
        folder = try word(.folder, for: .idx, .cifar10, .cifar100)
        images = try word(.images, for: .idx)
        labels = try word(.labels, for: .idx)
        testImages = try word(.testImages, for: .idx)
        testLabels = try word(.testLabels, for: .idx)
        path = try word(.path, for: .csv, .text)
        testPath = try word(.testPath, for: .csv, .text)
        label = try values.decodeIfPresent(TableOptions.Column.self, forKey: .label)
        clean = try values.decodeIfPresent(TableOptions.Column.self, forKey: .clean)
        group = try values.decodeIfPresent(TableOptions.Column.self, forKey: .group)
        id = try values.decodeIfPresent(TableOptions.Column.self, forKey: .id)
        decimal = try values.decodeIfPresent(TableOptions.Decimal.self, forKey: .decimal)
        drop = try values.decodeIfPresent([TableOptions.Column].self, forKey: .drop) ?? []
        delimiter = try values.decodeIfPresent(TableOptions.Delimiter.self, forKey: .delimiter)
        header = try values.decodeIfPresent(Bool.self, forKey: .header) ?? true
        skipAt = try values.decodeIfPresent(Bool.self, forKey: .skipAt) ?? false
        imageShape = try values.decodeIfPresent([Int].self, forKey: .imageShape)
        text = try values.decodeIfPresent(TableOptions.Column.self, forKey: .text)
        length = try values.decodeIfPresent(Int.self, forKey: .length)
        quotes = try values.decodeIfPresent(Bool.self, forKey: .quotes)
        if classNames != nil, ![.idx, .csv, .text, .none].contains(kind) {
            throw Problem.keyOfOtherKind("class-names", kind)
        }
        if folder != nil, kind == .idx, (images ?? labels ?? testImages ?? testLabels) != nil {
            throw Problem.filesTwice()
        }
        // Columns without a role count in a table and are left out beside a text: nothing to drop.
        let ofTables: [(CodingKeys, Bool)] = [
            (.label, label != nil), (.clean, clean != nil), (.group, group != nil),
            (.id, id != nil), (.delimiter, delimiter != nil), (.header, !header),
        ]
        let ofNumbers: [(CodingKeys, Bool)] = [
            (.drop, !drop.isEmpty), (.skipAt, skipAt), (.decimal, decimal != nil),
            (.imageShape, imageShape != nil && kind != .none),
        ]
        let ofTexts: [(CodingKeys, Bool)] = [
            (.text, text != nil), (.length, length != nil), (.quotes, quotes != nil),
        ]
        let strays =
            (kind == .csv || kind == .text ? [] : ofTables) + (kind == .csv ? [] : ofNumbers)
            + (kind == .text ? [] : ofTexts)
        if let (key, _) = strays.first(where: \.1) {
            throw Problem.keyOfOtherKind(key.rawValue, kind)
        }
        if kind == .text {
            text = text ?? "text"
            length = length ?? 1024
            quotes = quotes ?? true
        }
        if let length, !TextList.lengths.contains(length) {
            throw Problem.outOfRange(
                "data.length", found: "\(length)",
                expected: "\(TextList.lengths.lowerBound) to \(TextList.lengths.upperBound)")
        }
        try readSynthetic(values)
        let meta = metaValidation.map { [("meta-validation", $0)] } ?? []
        for (key, value) in [("validation", validation), ("test", test)] + meta
        where !(value > 0 && value < 1) {
            throw Problem.outOfRange(
                "data.\(key)", found: "\(value)", expected: "a share above 0 and below 1")
        }
        if let limit, limit < 2 {
            throw Problem.outOfRange("data.limit", found: "\(limit)", expected: "2 or more")
        }
        if let shape = imageShape,
            shape.count != 3 || shape.contains(where: { $0 < 1 || $0 > 4096 })
        {
            throw Problem.outOfRange(
                "data.image-shape", found: "\(shape)", expected: "[channels, height, width]")
        }
        try checkComplete()
    }

    /// Every default is written out, so that the resolved recipe names the data in full.
    private mutating func readSynthetic(_ values: KeyedDecodingContainer<CodingKeys>) throws {
        classes = try values.decodeIfPresent(Int.self, forKey: .classes)
        samples = try values.decodeIfPresent(Int.self, forKey: .samples)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
        radius = try values.decodeIfPresent(Double.self, forKey: .radius)
        turn = try values.decodeIfPresent(Double.self, forKey: .turn)
        spread = try values.decodeIfPresent(Double.self, forKey: .spread)
        features = try values.decodeIfPresent(Int.self, forKey: .features)
        separation = try values.decodeIfPresent(Double.self, forKey: .separation)
        let keys: [(CodingKeys, isGiven: Bool, kinds: [Kind])] = [
            (.classes, classes != nil, [.spiral, .gaussianClasses]),
            (.samples, samples != nil, [.spiral, .gaussianClasses, .colourShapes]),
            (.seed, seed != nil, [.spiral, .gaussianClasses, .colourShapes]),
            (.radius, radius != nil, [.spiral]), (.turn, turn != nil, [.spiral]),
            (.spread, spread != nil, [.spiral]), (.features, features != nil, [.gaussianClasses]),
            (.separation, separation != nil, [.gaussianClasses]),
        ]
        if let stray = keys.first(where: { $0.isGiven && !$0.kinds.contains(kind) }) {
            throw Problem.keyOfOtherKind(stray.0.rawValue, kind)
        }
        switch kind {
        case .spiral:
            try spiral.check()
            (classes, samples, seed) = (spiral.classes, spiral.samples, spiral.seed)
            (radius, turn, spread) = (spiral.radius, spiral.turn, spiral.spread)
        case .gaussianClasses:
            let made = gaussianClasses
            try made.check()
            (classes, samples, seed) = (made.classes, made.samples, made.seed)
            (features, separation) = (made.features, made.separation)
        case .colourShapes:
            try colourShapes.check()
            (samples, seed) = (colourShapes.samples, colourShapes.seed)
        default: break
        }
    }

    var spiral: Synthetic.Spiral {
        var made = Synthetic.Spiral()
        made.classes = classes ?? made.classes
        made.samples = samples ?? made.samples
        made.radius = radius ?? made.radius
        made.turn = turn ?? made.turn
        made.spread = spread ?? made.spread
        made.seed = seed ?? made.seed
        return made
    }

    var gaussianClasses: Synthetic.GaussianClasses {
        var made = Synthetic.GaussianClasses()
        made.classes = classes ?? made.classes
        made.samples = samples ?? made.samples
        made.features = features ?? made.features
        made.separation = separation ?? made.separation
        made.seed = seed ?? made.seed
        return made
    }

    var colourShapes: Synthetic.ColourShapes {
        var made = Synthetic.ColourShapes()
        made.samples = samples ?? made.samples
        made.seed = seed ?? made.seed
        return made
    }

    /// Whether the samples are made: their labels are right because they were there first.
    var isMade: Bool { [.spiral, .gaussianClasses, .colourShapes].contains(kind) }

    /// How to read the table.
    var table: TableOptions {
        var table = TableOptions(
            delimiter: delimiter, header: header, label: label ?? .index(-1), clean: clean,
            group: group, dropped: drop, skipAtLines: skipAt, classNames: classNames, text: text,
            length: length ?? 1024, quotes: quotes ?? true)
        table.id = id
        table.decimal = decimal ?? .point
        return table
    }

    private func checkComplete() throws(Problem) {
        switch kind {
        case .embedded, .spiral, .gaussianClasses, .colourShapes: break
        case .none:
            if let classNames, !(2...65_536).contains(classNames.count) {
                throw .outOfRange(
                    "data.class-names", found: "\(classNames.count) classes",
                    expected: "2 to 65536")
            }
        case .idx:
            if folder == nil && (images == nil || labels == nil) {
                throw .missingFiles("data.folder", or: "data.images and data.labels")
            }
            if (testImages == nil) != (testLabels == nil) {
                throw .missingFiles(
                    "data.test-images", or: "both or neither of test-images and test-labels")
            }
        case .cifar10, .cifar100:
            if folder == nil { throw .missingFiles("data.folder", or: nil) }
        case .csv, .text:
            if path == nil { throw .missingFiles("data.path", or: nil) }
        }
    }
}
