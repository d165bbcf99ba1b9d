export HOME="$work"
git init --quiet original
cd original
echo text >file
git add file
git -c user.name=check -c user.email=check@example.org commit --quiet --message probe
cd ..
git clone --quiet original copy
fact "the cloned file" "text" "$(cat copy/file)"
verdict "$(git --version)"
