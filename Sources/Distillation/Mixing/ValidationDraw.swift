import Randomness

/// The validation samples of one group of a meta pass: positions in `labels`, all different unless
/// a class is too small for its share of a balanced batch.
///
/// - Parameters:
///   - labels: of the validation split, `0..<classes`.
///   - count: how many to draw; at most all of them.
///   - balanced: as many of every class that occurs as of every other, up to one; a class that has
///     fewer is gone through again.
///   - epoch: of the meta pass.
///   - group: its number in the pass.
public func validationDraw(
    labels: [Int], classes: Int, count: Int, balanced: Bool, seed: UInt64, epoch: Int, group: Int
) -> [Int] {
    // Step counts from 1: step 0 of this purpose is the order of the pass.
    var draw = Draw(seed: seed, .metaOrder, epoch: epoch, step: group + 1)
    let wanted = min(count, labels.count)
    guard balanced else {
        var all = Array(labels.indices)
        // Fisher and Yates, as far as it is needed.
        for place in 0..<wanted { all.swapAt(place, place + draw.below(all.count - place)) }
        return Array(all.prefix(wanted))
    }
    var members = [[Int]](repeating: [], count: classes)
    for (place, label) in labels.enumerated() { members[label].append(place) }
    members.removeAll(where: \.isEmpty)
    for k in members.indices { members[k].shuffle(using: &draw) }
    // Classes in random order, so that no class is always the one that gets one more.
    members.shuffle(using: &draw)
    return (0..<wanted).map { place in
        let own = members[place % members.count]
        return own[place / members.count % own.count]
    }
}
