import Randomness
import Testing

@testable import Datasets

@Suite struct SplitTests {
    /// A table whose row i has the features `[rows[i]]`.
    func table(
        _ rows: [Int], labels: [Int], groups: [Int]? = nil, classes: Int? = nil
    ) throws -> Dataset {
        try Dataset(
            name: "t", features: .table(rows.map { Float($0) }, columns: ["v"]), labels: labels,
            groups: groups, classNames: IDX.defaultNames(classes ?? labels.max()! + 1))
    }

    func parts(_ split: Split) -> [[Int]] { [split.train, split.validation, split.test] }

    /// The invariants that hold for every split.
    func check(_ split: Split, _ data: Dataset) {
        #expect(parts(split).allSatisfy { $0 == $0.sorted() })
        #expect(parts(split).flatMap { $0 }.sorted() == Array(0..<data.count))
        guard case .table(let cells, _) = data.features else { return }
        var home: [Float: Int] = [:]
        var groupHome: [Int: Int] = [:]
        for (p, members) in parts(split).enumerated() {
            for i in members {
                #expect(home.updateValue(p, forKey: cells[i]) ?? p == p, "duplicates straddle")
                if let group = data.groups?[i] {
                    #expect(groupHome.updateValue(p, forKey: group) ?? p == p, "group straddles")
                }
            }
        }
    }

    func counts(_ members: [Int], _ data: Dataset) -> [Int] {
        data.subset(members).classCounts
    }

    /// 7 : 2 : 1 of classes of 50, 30 and 20: quotas are whole numbers.
    @Test func stratifiedByHand() throws {
        let labels = (0..<100).map { $0 < 50 ? 0 : $0 < 80 ? 1 : 2 }
        let data = try table(Array(0..<100), labels: labels)
        let split = try Split.make(data, validation: 0.2, test: 0.1, seed: 1)
        check(split, data)
        #expect(counts(split.train, data) == [35, 21, 14])
        #expect(counts(split.validation, data) == [10, 6, 4])
        #expect(counts(split.test, data) == [5, 3, 2])
        #expect(split.duplicates == 0)
        #expect(try Split.make(data, validation: 20, test: 10, seed: 1) == split)
        #expect(try Split.make(data, validation: 20, test: 10, seed: 2) != split)
    }

    /// Hamilton's method by hand: 7 seats for 5.25, 1.4 and 0.35 → 5, 1, 0 and the last to 0.4.
    @Test func largestRemainder() {
        #expect(
            Splitter.apportion(7, [5.25, 1.4, 0.35], least: [0, 0, 0], most: [9, 9, 9]) == [
                5, 2, 0,
            ])
        #expect(
            Splitter.apportion(7, [5.25, 1.4, 0.35], least: [1, 1, 1], most: [9, 9, 9]) == [
                5, 1, 1,
            ])
        #expect(
            Splitter.apportion(7, [5.25, 1.4, 0.35], least: [0, 0, 0], most: [4, 9, 9]) == [
                4, 2, 1,
            ])
        #expect(Splitter.apportion(2, [1, 1, 1], least: [1, 1, 1], most: [9, 9, 9]) == nil)
        #expect(Splitter.apportion(4, [2, 2], least: [0, 0], most: [1, 2]) == nil)
    }

    @Test func propertiesWithoutGroups() throws {
        for seed in 0..<200 as Range<UInt64> {
            var draw = Draw(seed: seed, .tests)
            let classes = 2 + draw.below(4)
            let count = 60 + draw.below(200)
            let labels = (0..<count).map { $0 < 3 * classes ? $0 % classes : draw.below(classes) }
            let data = try table(Array(0..<count), labels: labels)
            let validation = 5 + draw.below(15)
            let test = 5 + draw.below(15)
            let split = try Split.make(data, validation: validation, test: test, seed: seed)
            check(split, data)
            #expect(split.validation.count == validation)
            #expect(split.test.count == test)
            for (members, size) in [(split.validation, validation), (split.test, test)] {
                for (got, all) in zip(counts(members, data), data.classCounts) {
                    let exact = Double(size * all) / Double(count)
                    // Within one of the exact share, or the least of one of each class.
                    #expect(abs(Double(got) - exact) < 1 || got == 1 || exact < 2)
                    #expect(got >= 1)
                }
            }
        }
    }

    @Test func duplicatesStayTogetherAndSizesStayExact() throws {
        for seed in 0..<200 as Range<UInt64> {
            var draw = Draw(seed: seed, .tests)
            // 200 samples, of which some repeat one of the first 100, label and all or not.
            let rows = (0..<200).map { $0 < 150 ? $0 : draw.below(100) }
            let labels = rows.map { ($0 + (draw.below(5) == 0 ? 1 : 0)) % 3 }
            let data = try table(rows, labels: labels)
            let split = try Split.make(data, validation: 0.15, test: 0.1, seed: seed)
            check(split, data)
            #expect(split.duplicates == 50)
            #expect(split.validation.count == 30)
            #expect(split.test.count == 20)
        }
    }

    @Test func groupsStayTogether() throws {
        for seed in 0..<100 as Range<UInt64> {
            var draw = Draw(seed: seed, .tests)
            let groups = (0..<300).map { _ in draw.below(60) }
            let rows = (0..<300).map { $0 % 290 }  // some duplicates that join groups
            let labels = (0..<300).map { _ in draw.below(3) }
            let data = try table(rows, labels: labels, groups: groups)
            let split = try Split.make(data, validation: 0.2, test: 0.2, seed: seed)
            check(split, data)
            // Groups have about five samples: sizes within four of 60.
            #expect(abs(split.validation.count - 60) <= 4)
            #expect(abs(split.test.count - 60) <= 4)
        }
    }

    /// Every sample comes to the test part about equally often, in small and large groups too.
    @Test func everyGroupHasAChance() throws {
        // 20 groups of 2 and 20 of 8.
        let groups = (0..<200).map { $0 < 40 ? $0 / 2 : 20 + ($0 - 40) / 8 }
        let data = try table(Array(0..<200), labels: (0..<200).map { $0 % 2 }, groups: groups)
        var hits = [Int](repeating: 0, count: 200)
        for seed in 0..<300 as Range<UInt64> {
            for i in try Split.make(data, validation: 0, test: 0.25, seed: seed).test {
                hits[i] += 1
            }
        }
        let small = Double(hits[..<40].reduce(0, +)) / 40 / 300
        let large = Double(hits[40...].reduce(0, +)) / 160 / 300
        #expect(abs(small - 0.25) < 0.1, "share of small groups in the test part: \(small)")
        #expect(abs(large - 0.25) < 0.05)
        #expect(hits.allSatisfy { $0 > 0 })
    }

    @Test func partsCanBeLeftOut() throws {
        let data = try table(Array(0..<20), labels: (0..<20).map { $0 % 2 })
        let none = try Split.make(data, validation: 0, test: 0, seed: 1)
        #expect(none.train == Array(0..<20))
        let two = try Split.make(data, validation: 0.1, test: 0, seed: 1)
        #expect(two.train.count == 18 && two.validation.count == 2 && two.test.isEmpty)
    }

    /// A class that does not occur asks for nothing.
    @Test func emptyClassesAreIgnored() throws {
        let data = try table(Array(0..<20), labels: (0..<20).map { $0 % 2 * 3 }, classes: 5)
        #expect(try Split.make(data, validation: 4, test: 4, seed: 1).train.count == 12)
    }

    @Test func duplicatesOfOneSplitInAnother() throws {
        let train = try table([1, 2, 3, 2], labels: [0, 1, 0, 0])
        let test = try table([5, 2, 3, 9], labels: [0, 1, 0, 1])
        #expect(test.indicesShared(with: train) == [1, 2])
        #expect(train.firstOccurrences() == [0, 1, 2, 1])
        #expect(train.duplicateCount == 1)
        #expect(train.withoutDuplicates().labels == [0, 1, 0])
        #expect(test.indicesShared(with: try someImages(4)) == [])
    }

    @Test func refused() throws {
        let ten = try table(Array(0..<10), labels: (0..<10).map { $0 % 2 })
        func share(_ v: Double, _ t: Double) -> String {
            failure { try Split.make(ten, validation: v, test: t, seed: 1) }
        }
        #expect(
            share(-0.1, 0)
                == "validation share out of range: found -0.1, expected at least 0 and below 1")
        #expect(
            share(0, .nan) == "test share out of range: found nan, expected at least 0 and below 1")
        #expect(
            share(0.5, 0.5) == "validation and test share out of range: found 1.0, "
                + "expected at least 0 and below 1")
        #expect(
            failure { try Split.make(ten, validation: 5, test: 5, seed: 1) }
                == "t: split leaves nothing to train on: found 5 validation and 5 test samples, "
                + "expected at least 0 each, together fewer than 10")
        #expect(
            failure { try Split.make(ten, validation: .max, test: .max, seed: 1) }.hasPrefix(
                "t: split leaves nothing to train on"))
        #expect(
            share(0.1, 0.2) == "t: validation split cannot hold every class: "
                + "found 1 samples for 2 classes (give it more samples, or leave it out with 0)")
        let rare = try table(Array(0..<10), labels: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(
            failure { try Split.make(rare, validation: 0.2, test: 0.2, seed: 1) }
                == "t: class \"1\" is too small to split: found 2 samples, expected at least 3 "
                + "(one for each part)")
        let same = try table(
            [0, 1, 2, 3, 4, 5, 6, 9, 9, 9], labels: [0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
        #expect(
            failure { try Split.make(same, validation: 0.2, test: 0.2, seed: 1) }
                == "t: class \"1\" is too small to split: found 3 samples, 1 different, "
                + "expected at least 3 (one for each part)")
        let oneGroup = try table(
            Array(0..<10), labels: (0..<10).map { $0 % 2 }, groups: [Int](repeating: 4, count: 10))
        #expect(
            failure { try Split.make(oneGroup, validation: 0.2, test: 0, seed: 1) }
                == "t: class \"0\" is too small to split: found 5 samples in 1 groups, "
                + "expected at least 2 (one for each part)")
        let wide = try table(
            Array(0..<100), labels: (0..<100).map { $0 % 2 },
            groups: (0..<100).map { $0 < 90 ? 0 : $0 < 95 ? 1 : 2 })
        #expect(
            failure { try Split.make(wide, validation: 40, test: 0, seed: 1) }
                == "t: validation split is too far from the size asked for: found 10 samples, "
                + "expected about 40 (samples that must stay together number up to 90)")
        // Three groups, each without one class: two of them have every class, the third never.
        let crossed = try table(
            Array(0..<30), labels: (0..<30).map { ($0 / 10 + $0 % 2) % 3 },
            groups: (0..<30).map { $0 / 10 })
        #expect(
            failure { try Split.make(crossed, validation: 10, test: 0, seed: 1) }
                == "t: no split found that has every class in every part: "
                + "found 3 sets of samples that stay together, expected sizes near 20, 10, 0 "
                + "(ask for other sizes, or split without groups)")
    }

    // MARK: Validation samples of the data's own

    @Test func ownValidation() throws {
        let values = Array(0..<19) + [0]
        let plain = try table(values, labels: (0..<20).map { $0 % 2 })
        let data = try Dataset(
            name: "t", features: plain.features, labels: plain.labels,
            classNames: plain.classNames, ownValidation: (0..<20).map { $0 >= 14 })
        let whole = try Split.make(data, validation: 0.5, test: 0, seed: 1)
        #expect(whole.train == Array(0..<14) && whole.validation == Array(14..<20))
        #expect(whole.test.isEmpty && whole.duplicates == 1)
        let parts = try Split.make(data, validation: 0.1, test: 0.3, seed: 1)
        #expect(parts.validation == Array(14..<20) && parts.test.count == 4)
        #expect((parts.train + parts.test).sorted() == Array(0..<14))
        // By number of samples, and where a subset has none of them, nothing is special.
        #expect(try Split.make(data, validation: 2, test: 0, seed: 1).validation.count == 2)
        let rest = data.subset(Array(0..<14))
        #expect(try Split.make(rest, validation: 0.5, test: 0, seed: 1).validation.count == 7)
        #expect(data.subset([3, 15]).ownValidation == [false, true])
        #expect(try data.relabelled(data.labels).ownValidation == data.ownValidation)
        #expect(data.sha256 != plain.sha256)
        #expect(
            try LoadedData(MemorySource(data)).warnings == [
                "1 validation samples are also training samples: the validation accuracy is too good to be true"
            ])
        #expect(
            failure {
                try Dataset(
                    name: "t", features: plain.features, labels: plain.labels,
                    classNames: plain.classNames, ownValidation: [true])
            }.contains("marks of validation samples"))
    }
}
