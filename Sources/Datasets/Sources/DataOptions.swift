import Diagnostics

/// Where the samples come from and how they are split: the `data` part of a recipe.
///
/// The keys of ``source`` stand beside the others, as its kind decodes and encodes them.
public struct DataOptions: Codable, Hashable, Sendable {
    @AnyDataSource public var source: any DataSource
    /// Take only this many training samples (seeded, stratified), before splitting; at least 2.
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
    /// A part of the learning samples that is neither trained on nor validated on; nil: none.
    public var heldOut: HeldOutFold?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, limit, validation, test
        case cleanValidation = "clean-validation"
        case metaValidation = "meta-validation"
        case heldOut = "held-out"
        case cleanMetaValidation = "clean-meta-validation"
    }

    /// The keys that every kind of data has.
    public static let commonKeys = CodingKeys.allCases.map(\.rawValue)

    /// What a recipe calls the kind of data.
    public var kind: String { type(of: source).kind }

    public init(_ source: any DataSource, validation: Double = 0.15, test: Double = 0.2) {
        self.source = source
        self.validation = validation
        self.test = test
        cleanValidation = false
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let word = try values.decode(String.self, forKey: .kind)
        guard let kind = DataOptions.kinds.first(where: { $0.kind == word }) else {
            throw Problem.unknownKind(word, among: DataOptions.kinds.map { $0.kind })
        }
        try DataOptions.refuseOtherKeys(of: decoder, than: kind)
        self.init(try kind.init(from: decoder))
        limit = try values.decodeIfPresent(Int.self, forKey: .limit)
        validation = try values.decodeIfPresent(Double.self, forKey: .validation) ?? validation
        test = try values.decodeIfPresent(Double.self, forKey: .test) ?? test
        cleanValidation =
            try values.decodeIfPresent(Bool.self, forKey: .cleanValidation) ?? cleanValidation
        metaValidation = try values.decodeIfPresent(Double.self, forKey: .metaValidation)
        cleanMetaValidation = try values.decodeIfPresent(Bool.self, forKey: .cleanMetaValidation)
        heldOut = try values.decodeIfPresent(HeldOutFold.self, forKey: .heldOut)
        try source.check()
        try check()
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try source.encode(to: encoder)
        try values.encodeIfPresent(limit, forKey: .limit)
        try values.encode(validation, forKey: .validation)
        try values.encode(test, forKey: .test)
        try values.encode(cleanValidation, forKey: .cleanValidation)
        try values.encodeIfPresent(metaValidation, forKey: .metaValidation)
        try values.encodeIfPresent(cleanMetaValidation, forKey: .cleanMetaValidation)
        try values.encodeIfPresent(heldOut, forKey: .heldOut)
    }

    /// Refuses shares and limits that make no sense whatever the samples are.
    public func check() throws(Problem) {
        let shares = [
            ("validation", validation), ("test", test), ("meta-validation", metaValidation ?? 0.5),
        ]
        for (key, share) in shares where !(share > 0 && share < 1) {
            throw .dataRange(key, found: "\(share)", expected: "a share above 0 and below 1")
        }
        if let limit, limit < 2 {
            throw .dataRange("limit", found: "\(limit)", expected: "2 or more")
        }
        try heldOut?.check()
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Refuses a key that only other kinds have: it is not unknown but misplaced. A key without a
    /// value is one that was taken back.
    private static func refuseOtherKeys(
        of decoder: any Decoder, than kind: any DataSource.Type
    ) throws {
        let values = try decoder.container(keyedBy: AnyKey.self)
        let others = Set(kinds.flatMap { $0.keys }).subtracting(kind.keys)
        for key in values.allKeys where others.contains(key.stringValue) {
            guard try values.decodeNil(forKey: key) else {
                throw Problem.keyOfOtherKind(key.stringValue, kind.kind)
            }
        }
    }
}
