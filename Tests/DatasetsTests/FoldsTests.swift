import Testing

@testable import Datasets

@Suite struct FoldsTests {
    private func table(_ labels: [Int], groups: [Int]? = nil, repeats: [Int: Int] = [:]) throws
        -> Dataset
    {
        let values = labels.indices.map { Float(repeats[$0] ?? $0) }
        return try Dataset(
            name: "table", features: .table(values, columns: ["x"]), labels: labels,
            groups: groups, classNames: (0...labels.max()!).map { "\($0)" })
    }

    @Test func coverEverySampleOnceAndAreStratified() throws {
        let labels = (0..<103).map { $0 % 7 == 0 ? 2 : $0 % 2 }
        let data = try table(labels)
        let members = (0..<103).filter { $0 % 10 != 3 }
        let folds = try Folds(data, members: members, count: 5, seed: 4)
        #expect(folds.parts.flatMap(\.self).sorted() == members)
        let sizes = folds.parts.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 1)
        for c in 0..<3 {
            let counts = folds.parts.map { $0.count { labels[$0] == c } }
            #expect(counts.max()! - counts.min()! <= 1, "\(counts)")
        }
        #expect(try folds == Folds(data, members: members, count: 5, seed: 4))
        #expect(try folds != Folds(data, members: members, count: 5, seed: 5))
    }

    @Test func keepTogetherWhatBelongsTogether() throws {
        let labels = (0..<60).map { $0 % 3 }
        let groups = (0..<60).map { $0 < 12 ? $0 / 4 : 100 + $0 }
        // 20 and 50 are equal, and 50 joins nothing else.
        let data = try table(labels, groups: groups, repeats: [50: 20])
        let folds = try Folds(data, members: Array(0..<60), count: 4, seed: 1)
        func part(_ i: Int) -> Int { folds.parts.firstIndex { $0.contains(i) }! }
        for g in 0..<3 { #expect(Set((0..<4).map { part(4 * g + $0) }).count == 1) }
        #expect(part(20) == part(50))
        let sizes = folds.parts.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 2, "\(sizes)")
    }

    @Test func refuseMorePartsThanSets() throws {
        let data = try table([0, 1, 0, 1], groups: [0, 0, 1, 1])
        #expect(
            failure { try Folds(data, members: Array(0..<4), count: 3, seed: 0) }
                == "table: too few samples for so many folds: found 3 folds of 2 samples or sets that "
                + "belong together, expected 2 folds or more, none of them empty (fewer folds, or more "
                + "samples)")
        #expect(try Folds(data, members: Array(0..<4), count: 2, seed: 0).parts.count == 2)
        #expect(failure { try Folds(data, members: [0], count: 2, seed: 0) }.contains("too few"))
    }
}
