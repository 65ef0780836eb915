import Diagnostics

/// Where the classes of one source (a data set) stand among those of another (a network).
///
/// Classes are matched by name. Only where one side has no names, just the numbers 0…C−1 that stand in
/// for them, are they matched by position.
public struct ClassMatch: Equatable, Sendable {
    /// For each class of the first source its number among those of the second.
    public let places: [Int]

    /// Whether every class has the same number on both sides.
    public var isIdentity: Bool { places == Array(places.indices) }

    /// - Parameters:
    ///   - names: of the data.
    ///   - others: of the network.
    ///   - whole: whether every class of the network has to be one of the data's; a test set may lack
    ///     some.
    ///   - file: of the network, for the message.
    /// - Throws: `.data` where the names differ, with some that only one side has.
    public init(
        _ names: [String], among others: [String], whole: Bool, file: String
    ) throws(Problem) {
        func isNumbered(_ names: [String]) -> Bool { firstNumber(of: names) == 0 }
        let place = Datasets.places(of: others)
        let found = names.compactMap { place[$0] }
        let fits = whole ? names.count == others.count : names.count <= others.count
        if fits, found.count == names.count {
            places = found
        } else if fits, isNumbered(names) != isNumbered(others),
            !(isNumbered(names) ? others : names).allSatisfy({ Int($0) != nil })
        {
            places = Array(names.indices)
        } else {
            let known = Set(names)
            throw .classesDiffer(
                file, only: others.filter { !known.contains($0) }, count: others.count,
                data: names.filter { place[$0] == nil }, names.count)
        }
    }
}

extension Problem {
    /// - Parameters:
    ///   - only: classes that the network alone has, of its `count`.
    ///   - data: classes that the data alone has, of its `total`.
    static func classesDiffer(
        _ file: String, only: [String], count: Int, data: [String], _ total: Int
    ) -> Problem {
        func told(_ count: Int, _ names: [String]) -> String {
            guard !names.isEmpty else { return "\(count) classes" }
            return "\(count) classes, among them "
                + names.prefix(3).map { "\"\(oneLine($0, limit: 40))\"" }.joined(separator: ", ")
        }
        return Problem(
            .data, "the network knows other classes than the data", at: .file(file),
            found: told(count, only), expected: told(total, data),
            hint: "data.class-names names the classes of the data, in the order of their numbers")
    }
}
